package officer_test

import (
	"errors"
	"testing"

	"github.com/furrowcredit/furrow/server/officer"
)

func FuzzParseBBox(f *testing.F) {
	for _, s := range []string{"", "115.2,37.1,115.9,37.6", "1,2,3", "NaN,0,1,1", "1e999,0,1,1", "3,3,1,1", "-180,-90,180,90"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := officer.ParseBBox(s)
		switch {
		case err != nil && !errors.Is(err, officer.ErrBBox):
			t.Errorf("%q: %v", s, err)
		case err == nil && s != "" && (b.IsEmpty() || b.Min[0] < -180 || b.Max[0] > 180):
			t.Errorf("%q gives %v", s, b)
		}
	})
}
