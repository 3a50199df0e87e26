package count

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Config is how counts are put together.
type Config struct {
	Priors Priors
	Level  float64       // of intervals
	Window time.Duration // pictures of one device within it are one count
	Period time.Duration // before the last count, over which the herd is taken for closed
	Old    time.Duration // after which a last count says little
	Learn  time.Duration // how far back comparisons of counters are looked for
}

// DefaultConfig is what the house uses.
func DefaultConfig() Config {
	return Config{Priors: DefaultPriors(), Level: 0.95, Window: time.Hour, Period: 72 * time.Hour, Old: 7 * 24 * time.Hour, Learn: 90 * 24 * time.Hour}
}

// Change is a registered birth (+1), death, sale or move (−1) in a pen.
type Change struct {
	At    time.Time
	PenID string // "" the herd
	Delta int
}

// Member is an animal that is registered and said to be there.
type Member struct {
	PenID  string // where it is; "" nobody knows
	Heard  bool   // its tag was heard in the windows of the counts
	Inside bool   // the watch believes that it is there
}

// Evidence is everything that is put together.
type Evidence struct {
	Counts  []iot.Headcount
	Members []Member
	Pens    []string // of the herd
	Changes []Change
	// Heard returns how many tags of a pen ("" the herd) were heard in a window, -1
	// when it is not known; nil means never.
	Heard func(pen string, from, to time.Time) int
}

// PenCount is the count of one pen; PenID "" of counts of the whole herd.
type PenCount struct {
	PenID string `json:"pen_id"`
	iot.HerdCount
	Devices []DeviceCount `json:"devices"`
}

// DeviceCount is what is believed of one counter after the counts.
type DeviceCount struct {
	Device  string        `json:"device"`
	Kind    iot.CountKind `json:"kind"`
	Windows int           `json:"windows"`
	Seen    int           `json:"seen"`   // median over its windows
	Recall  float64       `json:"recall"` // expected, learnt from comparisons; the prior's without any
	Ratio   float64       `json:"ratio"`  // expected count per animal, double counts included
	Lies    float64       `json:"lies"`   // probability that its counts have nothing to do with the herd
}

// Reasons why a count is not simply known.
const (
	NoCounts      = "no_counts"
	CountsOld     = "counts_old"
	Disagree      = "counts_disagree"
	PensUncounted = "pens_uncounted"
)

// Method names the formulas of docs/formats/count.md.
const Method = "count-1"

// shanghai is where days begin for gates: midnight, when herds rest.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// Reconcile estimates the animals of a herd and of each of its pens.
func (c Config) Reconcile(e Evidence, now time.Time) (iot.HerdCount, []PenCount) {
	out := iot.HerdCount{Status: "unknown", Reason: NoCounts, Level: c.Level, Method: Method}
	for _, m := range e.Members {
		if m.Heard {
			out.Tags++
		}
	}
	all := c.windows(e.Counts)
	if len(all) == 0 {
		return out, nil
	}
	last := all[len(all)-1].to
	recent := all
	for len(recent) > 0 && recent[0].to.Before(last.Add(-c.Period)) {
		recent = recent[1:]
	}
	counters := c.learn(all[:len(all)-len(recent)])
	byPen := map[string][]window{}
	var order []string
	for _, w := range recent {
		if w.matched >= 0 && e.Heard != nil {
			w.tags = e.Heard(w.pen, w.from, w.to)
		}
		if byPen[w.pen] == nil {
			order = append(order, w.pen)
		}
		byPen[w.pen] = append(byPen[w.pen], w)
	}
	slices.Sort(order)
	var pens []PenCount
	posteriors := map[string]posterior{}
	disagree := false
	for _, pen := range order {
		p, q := c.pen(pen, byPen[pen], counters, e)
		pens, posteriors[pen] = append(pens, p), q
		disagree = disagree || p.Reason == Disagree
	}
	out.Status, out.Reason = "known", ""
	total, uncounted, heard := c.herd(posteriors, byPen, e)
	out.Estimate, out.Low, out.High = total.interval(c.Level)
	_, _, out.Most = total.interval(sure)
	out.Estimate += float64(heard)
	out.High += uncounted
	out.Most += uncounted
	out.Windows = len(recent)
	out.LastAt = &last
	whole := byPen[""] != nil
	for _, p := range pens {
		if whole == (p.PenID == "") {
			out.Seen += p.Seen
		}
	}
	switch {
	case now.Sub(last) > c.Old:
		out.Status, out.Reason = "low_confidence", CountsOld
	case disagree:
		out.Status, out.Reason = "low_confidence", Disagree
	case uncounted > 0:
		out.Status, out.Reason = "low_confidence", PensUncounted
	}
	return out, pens
}

// herd puts the pens together. Counts of the whole herd and the sum of its pens are
// two looks at one number. Animals of pens that nobody counted may all be there or
// not: uncounted is how many they are, heard how many of their tags were heard.
func (c Config) herd(q map[string]posterior, byPen map[string][]window, e Evidence) (total posterior, uncounted, heard int) {
	complete := true
	for _, pen := range e.Pens {
		complete = complete && byPen[pen] != nil
	}
	whole, ok := q[""]
	if ok && (!complete || len(q) == 1) {
		return whole, 0, 0
	}
	first := true
	for _, pen := range slices.Sorted(keys(q)) {
		switch {
		case pen == "":
		case first:
			total, first = q[pen], false
		default:
			total = total.sum(q[pen])
		}
	}
	if ok {
		return total.times(whole), 0, 0
	}
	if complete {
		return total, 0, 0
	}
	for _, m := range e.Members {
		if byPen[m.PenID] == nil {
			uncounted++
			if m.Heard {
				heard++
			}
		}
	}
	return total, uncounted, heard
}

func keys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// times combines two looks at the same number.
func (q posterior) times(o posterior) posterior {
	g := newGrid(max(q.at(q.size-1), o.at(o.size-1)))
	out := posterior{g, make([]float64, g.size)}
	total := 0.0
	for i := range out.p {
		n := g.at(i)
		a, b := n/q.step, n/o.step
		if a < q.size && b < o.size {
			// Both hold the prior; it counts once.
			out.p[i] = q.p[a] / q.prior(a) * o.p[b] / o.prior(b) * g.prior(i)
		}
		total += out.p[i]
	}
	if total == 0 { // they have nothing in common: both are as likely
		for i := range out.p {
			n := g.at(i)
			if a := n / q.step; a < q.size {
				out.p[i] += q.p[a] / 2
			}
			if b := n / o.step; b < o.size {
				out.p[i] += o.p[b] / 2
			}
			total += out.p[i]
		}
	}
	for i := range out.p {
		out.p[i] /= total
	}
	return out
}

// pen estimates one pen from its windows.
func (c Config) pen(pen string, ws []window, counters map[string]*counter, e Evidence) (PenCount, posterior) {
	p := &c.Priors
	out := PenCount{PenID: pen, HerdCount: iot.HerdCount{Status: "known", Level: c.Level, Windows: len(ws), Method: Method}}
	members := 0
	for _, m := range e.Members {
		if pen == "" || m.PenID == pen {
			members++
			if m.Heard {
				out.Tags++
			}
		}
	}
	ws, dark := c.dark(ws)
	byDevice := map[string][]window{}
	most := max(members, out.Tags)
	for _, w := range ws {
		byDevice[w.device] = append(byDevice[w.device], w)
		most = max(most, w.seen, w.tags)
		if out.LastAt == nil || w.to.After(*out.LastAt) {
			at := w.to
			out.LastAt = &at
		}
	}
	g := newGrid(4*most + 20)
	shift := func(at time.Time) int {
		n := 0
		for _, change := range e.Changes {
			if change.At.After(at) && (pen == "" || change.PenID == pen) {
				n -= change.Delta
			}
		}
		return n
	}
	log := make([]float64, g.size)
	lies := make([][]float64, 0, len(byDevice))
	devices := slices.Sorted(keys(byDevice))
	for _, device := range devices {
		w := thin(byDevice[device])
		k := counters[device]
		if k == nil {
			k = newCounter(p, w[0].kind)
		}
		honest, liar := likelihood(p, k, w, g, shift)
		odds := make([]float64, g.size)
		for i, l := range honest {
			if len(devices) == 1 { // nobody is there to say that it lies
				log[i] += l
				continue
			}
			l += math.Log1p(-p.Liar)
			lie := liar + math.Log(p.Liar)
			m := math.Max(l, lie)
			both := m + math.Log(math.Exp(l-m)+math.Exp(lie-m))
			log[i] += both
			odds[i] = math.Exp(lie - both)
		}
		lies = append(lies, odds)
		recall, ratio := k.mean(p)
		out.Devices = append(out.Devices, DeviceCount{Device: device, Kind: w[0].kind, Windows: len(w), Seen: medianSeen(w), Recall: recall, Ratio: ratio})
	}
	q := normalise(g, log)
	for _, d := range dark {
		out.Devices = append(out.Devices, d)
		out.Status, out.Reason = "low_confidence", Disagree
	}
	for i := range devices {
		for j, v := range lies[i] {
			out.Devices[i].Lies += v * q.p[j]
		}
		if out.Devices[i].Lies > 0.5 && len(devices) > 1 {
			out.Status, out.Reason = "low_confidence", Disagree
		}
	}
	out.Estimate, out.Low, out.High = q.interval(c.Level)
	out.Seen = medianSeen(ws)
	return out, q
}

// dark takes out the cameras that see nothing: those whose every window is empty, and one
// of them beside a person who counted some. Such zeros tell of the camera and not of the
// herd. Without a person at the same time they stand, for tags may lie where no animal is.
func (c Config) dark(ws []window) (rest []window, dark []DeviceCount) {
	type camera struct {
		windows        int
		saw, contested bool
	}
	cameras := map[string]*camera{}
	for _, w := range ws {
		if w.kind != iot.ByCamera {
			continue
		}
		if cameras[w.device] == nil {
			cameras[w.device] = &camera{}
		}
		k := cameras[w.device]
		k.windows++
		k.saw = k.saw || w.seen > 0
		k.contested = k.contested || slices.ContainsFunc(ws, func(o window) bool {
			return o.kind == iot.ByPerson && o.seen > 0 && c.beside(o, w)
		})
	}
	for _, device := range slices.Sorted(keys(cameras)) {
		if k := cameras[device]; k.contested && !k.saw {
			dark = append(dark, DeviceCount{Device: device, Kind: iot.ByCamera, Windows: k.windows, Lies: 1})
		}
	}
	if len(dark) == 0 {
		return ws, nil
	}
	rest = slices.DeleteFunc(slices.Clone(ws), func(w window) bool {
		return w.kind == iot.ByCamera && slices.ContainsFunc(dark, func(d DeviceCount) bool { return d.Device == w.device })
	})
	return rest, dark
}

// beside tells whether two windows of a pen are of the same time.
func (c Config) beside(a, b window) bool {
	return a.pen == b.pen && a.from.Sub(b.to) <= c.Window && b.from.Sub(a.to) <= c.Window
}

// enough windows of one device: more of them share what its recall is off by.
const enough = 12

// thin leaves at most enough windows, spread evenly, the newest among them.
func thin(ws []window) []window {
	if len(ws) <= enough {
		return ws
	}
	out := make([]window, enough)
	for i := range out {
		out[i] = ws[(i+1)*len(ws)/enough-1]
	}
	return out
}

func medianSeen(ws []window) int {
	seen := make([]int, len(ws))
	for i, w := range ws {
		seen[i] = w.seen
	}
	slices.Sort(seen)
	return seen[len(seen)/2]
}

// learn compares counters with people who counted the same pen within a window of
// time, in windows that are not part of the estimate.
func (c Config) learn(ws []window) map[string]*counter {
	out := map[string]*counter{}
	for _, w := range ws {
		if w.kind == iot.ByPerson {
			continue
		}
		for _, person := range ws {
			if person.kind != iot.ByPerson || !c.beside(person, w) {
				continue
			}
			if out[w.device] == nil {
				out[w.device] = newCounter(&c.Priors, w.kind)
			}
			out[w.device].compare(&c.Priors, w.seen, person.seen)
			break
		}
	}
	return out
}

// windows reduces counts to one a device and window, oldest first: of pictures and
// people the middle one; of a gate's day how far the herd's number moved.
func (c Config) windows(counts []iot.Headcount) []window {
	type key struct {
		pen, device string
		kind        iot.CountKind
		at          int64
	}
	groups := map[key][]iot.Headcount{}
	var order []key
	for _, h := range counts {
		at := h.From.Add(h.To.Sub(h.From) / 2)
		k := key{h.PenID, h.Device, h.Kind, at.UnixMilli() / max(c.Window.Milliseconds(), 1)}
		if h.Kind == iot.ByGate {
			y, m, d := at.In(shanghai).Date()
			k.at = time.Date(y, m, d, 0, 0, 0, 0, shanghai).UnixMilli()
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], h)
	}
	out := make([]window, 0, len(order))
	for _, k := range order {
		if k.kind == iot.ByGate {
			out = append(out, gateDay(groups[k]))
		} else {
			out = append(out, middle(groups[k]))
		}
	}
	slices.SortFunc(out, func(a, b window) int {
		return cmp.Or(a.to.Compare(b.to), a.from.Compare(b.from), cmp.Compare(a.pen, b.pen), cmp.Compare(a.device, b.device))
	})
	return out
}

// middle is the count of a window: the middle one by heads seen, with its matches.
// The sum of pictures would count every animal once a picture, the largest would
// take each double count.
func middle(hs []iot.Headcount) window {
	slices.SortFunc(hs, func(a, b iot.Headcount) int {
		return cmp.Or(cmp.Compare(a.Seen, b.Seen), a.From.Compare(b.From), cmp.Compare(a.Picture, b.Picture))
	})
	h := hs[(len(hs)-1)/2]
	w := window{pen: h.PenID, device: h.Device, kind: h.Kind, from: h.From, to: h.To, seen: h.Seen, matched: -1, tags: -1}
	if h.Matched != nil {
		w.matched = *h.Matched
	}
	for _, h := range hs {
		w.from, w.to = earlier(w.from, h.From), later(w.to, h.To)
	}
	return w
}

// gateDay is what a gate's day proves: inward less outward is added up over the day,
// and the distance between its lowest and highest level is a number of animals that
// must be different ones. An animal that goes back and forth adds nothing to it.
// The largest passage in one direction gives the matches.
func gateDay(hs []iot.Headcount) window {
	slices.SortFunc(hs, func(a, b iot.Headcount) int { return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From)) })
	w := window{pen: hs[0].PenID, device: hs[0].Device, kind: hs[0].Kind, from: hs[0].From, to: hs[0].To, matched: -1, tags: -1}
	level, low, high := 0, 0, 0
	for _, h := range hs {
		w.from, w.to = earlier(w.from, h.From), later(w.to, h.To)
		level += h.Seen - 2*h.Out
		low, high = min(low, level), max(high, level)
	}
	w.seen = high - low
	if h := hs[0]; len(hs) == 1 && h.Matched != nil && (h.Out == 0 || h.Out == h.Seen) {
		w.matched = *h.Matched
	}
	return w
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
