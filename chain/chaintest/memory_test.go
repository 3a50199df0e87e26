package chaintest_test

import (
	"testing"

	"github.com/furrowcredit/furrow/chain/chaintest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	chaintest.Exercise(t, &chaintest.Memory{})
}
