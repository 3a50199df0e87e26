package count_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
)

// What befell the herd after the count moves what the count supports; what befell it
// before does not.
func TestPassagesAfterTheCount(t *testing.T) {
	t.Parallel()
	const n = 60
	entry := now.AddDate(-1, 0, 0)
	for name, c := range map[string]struct {
		kind   iot.LifeKind
		herd   string
		at     time.Time
		here   int // animals that are in the herd now
		expect float64
	}{
		"nothing":       {here: n, expect: n},
		"ten died":      {kind: iot.Death, at: at(1), here: n - 10, expect: n - 10},
		"died before":   {kind: iot.Death, at: at(30), here: n, expect: n},
		"ten sold":      {kind: iot.Departure, at: at(1), here: n - 10, expect: n - 10},
		"ten moved off": {kind: iot.Move, herd: "elsewhere", at: at(1), here: n - 10, expect: n - 10},
		"ten bought":    {kind: iot.Arrival, herd: "h", at: at(1), here: n + 10, expect: n + 10},
		"ten born":      {kind: iot.Birth, herd: "h", at: at(1), here: n + 10, expect: n + 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &memory{}
			var lives []iot.Life
			if c.kind != "" {
				for i := range 10 {
					a := iot.Animal{ID: fmt.Sprint("x", i)}
					events := []iot.LifeEvent{{ID: "1", Kind: iot.Registered, At: entry, HerdID: "h"}, {ID: "2", Kind: c.kind, At: c.at, HerdID: c.herd}}
					if c.kind == iot.Birth || c.kind == iot.Arrival {
						events = events[1:]
					}
					l, err := iot.Derive(a, events)
					if err != nil {
						t.Fatal(err)
					}
					lives = append(lives, l)
				}
			}
			s := &count.Service{Store: m, Now: func() time.Time { return now },
				Lives: func(_ context.Context, _, herd string, from, to time.Time) ([]iot.Life, error) {
					if herd != "h" || !from.Before(at(5)) || !to.Equal(now) {
						t.Errorf("asked for %s from %s to %s", herd, from, to)
					}
					return lives, nil
				}}
			if err := s.AddHeadcounts(t.Context(), []iot.Headcount{person(5, n)}); err != nil {
				t.Fatal(err)
			}
			animals := make([]iot.Animal, c.here)
			for i := range animals {
				animals[i] = iot.Animal{ID: fmt.Sprint(i), HerdID: "h", Born: entry}
			}
			sum, _, err := s.Estimate(t.Context(), iot.Herd{ID: "h", Tenant: "t"}, animals, nil, now)
			if err != nil || sum.Estimate < c.expect-2 || sum.Estimate > c.expect+2 {
				t.Errorf("%+v (%v), want %v", sum, err, c.expect)
			}
		})
	}
}
