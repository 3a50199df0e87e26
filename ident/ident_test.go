package ident_test

import (
	"testing"
	"time"

	"github.com/furrowcredit/furrow/ident"
)

func TestAtPartsWhatWasMadeBefore(t *testing.T) {
	t.Parallel()
	before, id, after := time.Now().Add(-time.Second), ident.New(), time.Now().Add(time.Second)
	if ident.At(before) >= id || id >= ident.At(after) {
		t.Errorf("%s, %s, %s", ident.At(before), id, ident.At(after))
	}
}
