package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// thresholds are the watch's thresholds of a species of the catalogue.
func thresholds(code, catalogDir string) (species.Watch, error) {
	files, err := catalog.Open(catalogDir)
	if err != nil {
		return species.Watch{}, err
	}
	all, err := species.Load(files)
	if err != nil {
		return species.Watch{}, err
	}
	sp, ok := all.Get(code)
	if !ok {
		var codes []string
		for _, s := range all.All() {
			codes = append(codes, s.Code)
		}
		return species.Watch{}, errUsage.With("why", fmt.Sprintf("there is no species %q; the catalogue has %s", code, strings.Join(codes, ", ")))
	}
	return sp.Watch, nil
}

// openFixes opens a file of fixes and reads its header; "-" is standard input.
func openFixes(name string, std stdio) (*fixes.Reader, io.Closer, error) {
	if name == "-" {
		r, err := fixes.NewReader(std.In, "stdin")
		return r, io.NopCloser(nil), err
	}
	f, err := fixes.Open(name)
	if err != nil {
		return nil, nil, err
	}
	r, err := fixes.NewReader(f, name)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, f, nil
}

// exit is one time outside.
type exit struct {
	Tag      string     `json:"tag"`
	Left     time.Time  `json:"left"`
	Returned *time.Time `json:"returned"`
}

// entry is the first time that a tag was inside.
type entry struct {
	Tag string    `json:"tag"`
	At  time.Time `json:"at"`
}

// fenceReplay is what came out of one replay.
type fenceReplay struct {
	Fixes   int                  `json:"fixes"`
	Tags    int                  `json:"tags"`
	Dropped map[fence.Reason]int `json:"dropped"`
	Raw     int                  `json:"raw_exits"` // of a bare edge test, to compare
	Size    float64              `json:"fence_size_m"`
	Margin  float64              `json:"margin_m"`
	Entries []entry              `json:"entries"`
	Exits   []exit               `json:"exits"`
}

// runFenceReplay lets fixes of a file pass the watch's fence.
func runFenceReplay(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("fence replay", "--fixes F.csv[.gz] --fence F.geojson|F.csv [--pen ID] [--species cattle] [--json]", std)
	fixFile := fs.String("fixes", "", "CSV of fixes: tag, time, and lon, lat or x, y; - for standard input")
	fenceFile := fs.String("fence", "", "GeoJSON polygons, or CSV of corners, in the same coordinates")
	pen := fs.String("pen", "", "one pen of a CSV that has several; default all of them together")
	kind := fs.String("species", "cattle", "species of the catalogue, for its thresholds")
	dir := fs.String("catalog", "", "folder that replaces files of the built-in catalogue")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *fixFile == "" || *fenceFile == "" || len(rest) > 0 {
		return errUsage.With("why", "give --fixes and --fence")
	}
	w, err := thresholds(*kind, *dir)
	if err != nil {
		return err
	}
	f, err := fixes.Open(*fenceFile)
	if err != nil {
		return err
	}
	pens, err := fixes.ReadFence(f, *fenceFile, *pen)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	r, closer, err := openFixes(*fixFile, std)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }() // read only
	out, err := replayFence(ctx, r, pens, w)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, out)
	}
	for _, e := range out.Exits {
		back := "has not returned"
		if e.Returned != nil {
			back = "returned " + e.Returned.Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(std.Out, "%-16s left %s, %s\n", e.Tag, e.Left.Format(time.RFC3339), back)
	}
	_, _ = fmt.Fprintf(std.Out, "%d fixes of %d tags: %d exits (a bare edge test has %d); margin %.1f m\n",
		out.Fixes, out.Tags, len(out.Exits), out.Raw, out.Margin)
	return nil
}

// replayFence reads all fixes, puts them in the order of time and follows each tag.
func replayFence(ctx context.Context, r *fixes.Reader, pens orb.MultiPolygon, w species.Watch) (fenceReplay, error) {
	type step struct {
		tag string
		fix fence.Fix
	}
	ground := fence.New(pens...)
	if r.Local() {
		ground = fence.NewLocal(pens...)
	}
	margins := fence.NewMargins(w, ground)
	out := fenceReplay{Dropped: map[fence.Reason]int{}, Size: ground.Size(), Margin: margins.Out, Entries: []entry{}, Exits: []exit{}}
	var steps []step
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, err
		}
		if out.Fixes++; out.Fixes%4096 == 0 && ctx.Err() != nil {
			return out, ctx.Err()
		}
		p := fix.P
		if !r.Local() {
			if fence.IsZero(p) {
				out.Dropped[fence.Zero]++
				continue
			}
			p = ground.Plane().Metres(p)
		}
		steps = append(steps, step{strings.Clone(fix.Tag), fence.Fix{At: fix.At, P: p, Accuracy: fix.Accuracy, Speed: fix.Speed}})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.fix.At.Compare(b.fix.At) })

	type follower struct {
		gate     fence.Gate
		presence fence.Presence
		inside   bool // of the bare edge test
		entered  bool
		open     int // index of the exit that is open, or -1
	}
	tags := make(map[string]*follower)
	for _, s := range steps {
		t := tags[s.tag]
		distance := ground.Distance(s.fix.P)
		if t == nil {
			t = &follower{inside: distance <= 0, open: -1}
			tags[s.tag] = t
		}
		if t.inside && distance > 0 {
			out.Raw++
		}
		t.inside = distance <= 0
		if why := t.gate.Step(s.fix, &w); !why.Believed() {
			out.Dropped[why]++
			continue
		}
		before := t.presence.Place()
		for _, b := range t.gate.Behind() {
			t.presence.Step(ground.Distance(b.P), b.Accuracy, margins)
		}
		t.presence.Step(distance, s.fix.Accuracy, margins)
		if t.presence.Place() == before {
			continue
		}
		switch t.presence.Place() {
		case fence.Outside:
			t.open = len(out.Exits)
			out.Exits = append(out.Exits, exit{Tag: s.tag, Left: s.fix.At})
		case fence.Inside:
			if !t.entered {
				t.entered = true
				out.Entries = append(out.Entries, entry{s.tag, s.fix.At})
			}
			if t.open >= 0 {
				at := s.fix.At
				out.Exits[t.open].Returned, t.open = &at, -1
			}
		case fence.Nowhere, fence.NeverEntered:
		}
	}
	out.Tags = len(tags)
	return out, nil
}
