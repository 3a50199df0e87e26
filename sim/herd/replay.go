package herd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// Tracks are real fixes to be published again, in degrees.
type Tracks struct {
	Fence orb.Polygon
	Tags  []string // in the order of their first fix
	by    map[string][]iot.Reading
	first time.Time
	last  time.Time
}

// ReadTracks reads a file of fixes and a fence. Where they are in local metres, the
// middle of the fence is put at place (longitude, latitude).
func ReadTracks(fixFile, fenceFile, pen string, place orb.Point) (*Tracks, error) {
	ground, err := readFence(fenceFile, pen)
	if err != nil {
		return nil, err
	}
	f, err := fixes.Open(fixFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	r, err := fixes.NewReader(f, fixFile)
	if err != nil {
		return nil, err
	}
	t := &Tracks{Fence: ground, by: make(map[string][]iot.Reading)}
	degrees := func(p orb.Point) orb.Point { return p }
	if r.Local() {
		plane, middle := fence.NewPlane(place), ground.Bound().Center()
		degrees = func(p orb.Point) orb.Point { return plane.Degrees(orb.Point{p[0] - middle[0], p[1] - middle[1]}) }
		t.Fence = make(orb.Polygon, len(ground))
		for i, ring := range ground {
			for _, c := range ring {
				t.Fence[i] = append(t.Fence[i], degrees(c))
			}
		}
	}
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p := degrees(fix.P)
		reading := iot.Reading{Tag: fix.Tag, At: fix.At, Lon: rounded(p[0], 1e8), Lat: rounded(p[1], 1e8)}
		if fix.Accuracy > 0 {
			reading.Accuracy = &fix.Accuracy
		}
		if t.by[fix.Tag] == nil {
			t.Tags = append(t.Tags, fix.Tag)
		}
		t.by[fix.Tag] = append(t.by[fix.Tag], reading)
		if t.first.IsZero() || fix.At.Before(t.first) {
			t.first = fix.At
		}
		if fix.At.After(t.last) {
			t.last = fix.At
		}
	}
	for _, all := range t.by {
		slices.SortStableFunc(all, func(a, b iot.Reading) int { return a.At.Compare(b.At) })
	}
	return t, nil
}

func readFence(name, pen string) (orb.Polygon, error) {
	f, err := fixes.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	pens, err := fixes.ReadFence(f, name, pen)
	if err != nil {
		return nil, err
	}
	if len(pens) > 1 {
		return nil, fixes.ErrFence.With("why", "it has several pens: choose one with --pen").At("%s", name)
	}
	return pens[0], nil
}

// Ranch is the herd to register for the tracks: an animal for each tag, with a
// made-up code, and no gateway, for each tag publishes itself.
func (t *Tracks) Ranch(name, species string, born time.Time) Ranch {
	digit := "2"
	if species == "sheep" {
		digit = "3"
	}
	r := Ranch{Herd: iot.Herd{Name: name, Species: species, Fence: t.Fence}}
	for i, tag := range t.Tags {
		r.Animals = append(r.Animals, iot.Animal{Species: species, TagID: tag, Born: born,
			Identity: iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("%s41072599%06d", digit, i+1)}})
	}
	return r
}

// Duration is how long a replay takes at a multiple of the real speed.
func (t *Tracks) Duration(speed float64) time.Duration {
	return time.Duration(float64(t.last.Sub(t.first)) / speed)
}

// catchUp is the most fixes of one message: a tag that was held up sends several.
const catchUp = 200

// Replay publishes every fix, each tag over a connection of its own, at a multiple of
// the real speed. Times are moved so that the last fix is sent at its own device
// time and every other one after it: none lies ahead.
func (t *Tracks) Replay(ctx context.Context, link Link, speed float64, now func() time.Time) error {
	start := now()
	shift := start.Add(t.Duration(speed)).Sub(t.last)
	done := make(chan int)
	g, ctx := errgroup.WithContext(ctx)
	total := 0
	for _, tag := range t.Tags {
		all := t.by[tag]
		total += len(all)
		d, err := link.device(tag)
		if err != nil {
			return err
		}
		g.Go(func() error {
			defer d.close()
			for len(all) > 0 {
				due := start.Add(time.Duration(float64(all[0].At.Sub(t.first)) / speed))
				if wait := due.Sub(now()); wait > 0 {
					timer := time.NewTimer(wait)
					select {
					case <-ctx.Done():
						timer.Stop()
						return ctx.Err()
					case <-timer.C:
					}
				}
				n := 1
				for n < min(len(all), catchUp) && !start.Add(time.Duration(float64(all[n].At.Sub(t.first))/speed)).After(now()) {
					n++
				}
				batch := slices.Clone(all[:n])
				for i := range batch {
					batch[i].Tag = "" // the tag speaks for itself
					batch[i].At = batch[i].At.Add(shift)
				}
				if err := d.send(ctx, codec.AppendAll(nil, batch)); err != nil {
					return err
				}
				all = all[n:]
				select {
				case done <- n:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	result := make(chan error, 1)
	go func() { result <- g.Wait(); close(done) }()
	sent := 0
	for n := range done {
		sent += n
		if link.Progress != nil {
			link.Progress(sent, total)
		}
	}
	return <-result
}
