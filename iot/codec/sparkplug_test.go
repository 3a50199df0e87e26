package codec_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// births is a sparkplug.Births in memory, as several processes share it.
type births struct {
	mu   sync.Mutex
	by   map[string]sparkplug.Birth
	fail error
}

func (s *births) SaveBirth(_ context.Context, tenant string, b sparkplug.Birth) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.by == nil {
		s.by = make(map[string]sparkplug.Birth)
	}
	edge := tenant + "/" + b.Group + "/" + b.Edge + "/"
	if b.Device == "" {
		maps.DeleteFunc(s.by, func(k string, _ sparkplug.Birth) bool { return strings.HasPrefix(k, edge) })
	}
	s.by[edge+b.Device] = b
	return nil
}

func (s *births) Births(_ context.Context, tenant, group, edge string) (out []sparkplug.Birth, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.by)) {
		if strings.HasPrefix(k, tenant+"/"+group+"/"+edge+"/") {
			out = append(out, s.by[k])
		}
	}
	return out, s.fail
}

// plant is an edge node with one tag behind it, and the house that listens.
type plant struct {
	*testing.T
	house    *codec.House
	now      time.Time
	rebirths []string
	states   []string
}

func newPlant(t *testing.T, kept *births) *plant {
	p := &plant{T: t, house: house(t), now: received}
	if kept != nil {
		p.house.Sparkplug.Births = kept
	}
	p.house.Sparkplug.Rebirth = func(_ context.Context, tenant, topic string, payload []byte) {
		cmd, err := sparkplug.Decode(payload)
		if err != nil || len(cmd.Metrics) != 1 || cmd.Metrics[0].Name != "Node Control/Rebirth" {
			t.Errorf("the command is %+v, %v", cmd, err)
		}
		p.rebirths = append(p.rebirths, tenant+" "+topic)
	}
	p.house.Sparkplug.Edge = func(_ context.Context, tenant, edge string, online bool, at time.Time) {
		p.states = append(p.states, fmt.Sprint(tenant, " ", edge, " ", online, " ", at.Sub(received)))
	}
	return p
}

// send publishes metrics as the edge node e1 of the group farm.
func (p *plant) send(kind string, seq uint64, metrics ...sparkplug.Metric) ([]iot.Reading, error) {
	p.Helper()
	topic := "spBv1.0/farm/" + kind + "/e1"
	if kind[0] == 'D' {
		topic += "/t1"
	}
	payload := sparkplug.Append(nil, sparkplug.Payload{Time: p.now, Seq: seq, Metrics: metrics})
	a, err := codec.Parse(topic)
	if err != nil {
		p.Fatal(err)
	}
	edge := iot.Device{ID: "e1", Tenant: "bank", Kind: iot.Gateway, HerdID: "h"}
	items, err := p.house.Decode(p.Context(), a, edge, payload, p.now, nil)
	return readings(p.T, items, err)
}

func (p *plant) want(got []iot.Reading, err error, wantErr error, want ...iot.Reading) {
	p.Helper()
	if !errors.Is(err, wantErr) {
		p.Errorf("error %v, want %v", err, wantErr)
	}
	for i := range want {
		want[i].Tag, want[i].Source = "t1", "sparkplug"
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		p.Error(d)
	}
}

func alias(n uint64, t sparkplug.DataType, x float64) sparkplug.Metric {
	m := sparkplug.NewMetric("", t, x, time.Time{})
	m.Alias, m.Type = &n, 0
	return m
}

func named(name string, n uint64, t sparkplug.DataType, x float64) sparkplug.Metric {
	m := sparkplug.NewMetric(name, t, x, time.Time{})
	m.Alias = &n
	return m
}

func session(n float64) sparkplug.Metric {
	return sparkplug.NewMetric("bdSeq", sparkplug.Int64, n, time.Time{})
}

// born publishes the births of the edge node and its tag.
func (p *plant) born(n float64) {
	p.Helper()
	got, err := p.send("NBIRTH", 0, session(n), sparkplug.NewMetric("Node Control/Rebirth", sparkplug.Boolean, 0, time.Time{}),
		named("Temperature", 1, sparkplug.Float, 40))
	p.want(got, err, nil) // the edge node's own temperature is no animal's
	got, err = p.send("DBIRTH", 1, named("Position/Latitude", 2, sparkplug.Double, 31.5), named("Position/Longitude", 3, sparkplug.Double, 113.25),
		named("Tag/Temperature", 4, sparkplug.Int16, 29), named("Tag/Attached", 5, sparkplug.Boolean, 1), named("Firmware", 6, sparkplug.String, 0))
	p.want(got, err, nil, iot.Reading{At: p.now, Lat: ptr(31.5), Lon: ptr(113.25), Temp: ptr(29.0), Attached: ptr(true)})
}

func TestSparkplug(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	p.born(0)
	p.now = p.now.Add(time.Minute)
	got, err := p.send("DDATA", 2, alias(4, sparkplug.Int16, -3), alias(5, sparkplug.Boolean, 0))
	p.want(got, err, nil, iot.Reading{At: p.now, Temp: ptr(-3.0), Attached: ptr(false)})

	// Only what changed is sent: the other half of the position is the last one.
	got, err = p.send("DDATA", 3, alias(3, sparkplug.Double, 113.5))
	p.want(got, err, nil, iot.Reading{At: p.now, Lat: ptr(31.5), Lon: ptr(113.5)})

	// The same message again is the same reading, and no gap.
	got, err = p.send("DDATA", 3, alias(3, sparkplug.Double, 113.5))
	p.want(got, err, nil, iot.Reading{At: p.now, Lat: ptr(31.5), Lon: ptr(113.5)})

	null := alias(4, sparkplug.Int16, 0)
	null.Null = true
	got, err = p.send("DDATA", 4, null, alias(6, sparkplug.String, 0))
	p.want(got, err, nil, iot.Reading{At: p.now})

	got, err = p.send("DDATA", 5, alias(4, sparkplug.Int16, 200))
	p.want(got, err, codec.ErrField) // hotter than any tag
	if len(p.rebirths) != 0 {
		t.Error("asked for a rebirth without need:", p.rebirths)
	}
	if d := cmp.Diff([]string{"bank e1 true 0s"}, p.states); d != "" {
		t.Error(d)
	}
}

func TestSparkplugHistory(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	p.born(0)
	hour := p.now.Add(-time.Hour)
	old := func(m sparkplug.Metric) sparkplug.Metric {
		m.Time, m.Historical = hour, true
		return m
	}
	// History comes with its own time, together with what is now.
	got, err := p.send("DDATA", 2, alias(3, sparkplug.Double, 113.5), old(alias(2, sparkplug.Double, 10)), old(alias(3, sparkplug.Double, 20)))
	p.want(got, err, nil, iot.Reading{At: hour, Lat: ptr(10.0), Lon: ptr(20.0)}, iot.Reading{At: p.now, Lat: ptr(31.5), Lon: ptr(113.5)})
	// It has not become the last position, which half a position is completed from.
	got, err = p.send("DDATA", 3, alias(2, sparkplug.Double, 31.6))
	p.want(got, err, nil, iot.Reading{At: p.now, Lat: ptr(31.6), Lon: ptr(113.5)})
	// Nor is half a position of the past completed from the present.
	got, err = p.send("DDATA", 4, old(alias(2, sparkplug.Double, 10)), old(alias(4, sparkplug.Int16, 5)))
	p.want(got, err, codec.ErrHalfFix, iot.Reading{At: hour, Temp: ptr(5.0)})
}

// History that comes after the present leaves the latest reading of a store alone.
func TestSparkplugHistoryIsNotLatest(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	p.born(0)
	store := new(seriestest.Memory)
	save := func(got []iot.Reading, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Tenant, got[i].Received = "bank", p.now
		}
		if err := store.Write(t.Context(), got); err != nil {
			t.Fatal(err)
		}
	}
	save(p.send("DDATA", 2, alias(4, sparkplug.Int16, 30)))
	past := alias(4, sparkplug.Int16, 10)
	past.Time, past.Historical = p.now.Add(-time.Hour), true
	save(p.send("DDATA", 3, past))
	latest, err := store.Latest(t.Context(), "bank", []string{"t1"})
	if err != nil || latest["t1"].Temp == nil || *latest["t1"].Temp != 30 {
		t.Error(latest, err)
	}
	if n, err := store.Count(t.Context(), "bank", "t1"); err != nil || n != 2 {
		t.Error("the history was not kept:", n, err)
	}
}

func TestSparkplugGap(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	p.born(0)
	got, err := p.send("DDATA", 5, alias(4, sparkplug.Int16, 30)) // 2, 3 and 4 are missing
	p.want(got, err, nil, iot.Reading{At: p.now, Temp: ptr(30.0)})
	if d := cmp.Diff([]string{"bank spBv1.0/farm/NCMD/e1"}, p.rebirths); d != "" {
		t.Fatal(d)
	}
	// What was missed may have moved the tag: half a position is not completed from before.
	got, err = p.send("DDATA", 6, alias(3, sparkplug.Double, 113.5))
	p.want(got, err, codec.ErrHalfFix, iot.Reading{At: p.now})

	// A gap before an alias that nobody explained: the missing messages may have.
	got, err = p.send("DDATA", 9, alias(77, sparkplug.Int16, 30), alias(4, sparkplug.Int16, 31))
	p.want(got, err, codec.ErrSeq, iot.Reading{At: p.now, Temp: ptr(31.0)})
	if !strings.Contains(err.Error(), "7 to 8") || !strings.Contains(err.Error(), "alias 77") {
		t.Error(err)
	}
	if len(p.rebirths) != 1 {
		t.Error("asked again within a minute:", p.rebirths)
	}
	p.now = p.now.Add(time.Minute)
	got, err = p.send("DDATA", 10, alias(77, sparkplug.Int16, 30))
	p.want(got, err, codec.ErrNoBirth)
	if len(p.rebirths) != 2 {
		t.Error("did not ask again after a minute:", p.rebirths)
	}
	p.born(1)
	for seq := uint64(2); seq < 600; seq++ { // seq runs through 255 to 0
		if _, err := p.send("DDATA", seq&255, alias(4, sparkplug.Int16, 30)); err != nil {
			t.Fatal(seq, err)
		}
	}
	if len(p.rebirths) != 2 {
		t.Error("the turn of seq was taken for a gap:", p.rebirths)
	}
}

func TestSparkplugDataBeforeBirth(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	got, err := p.send("DDATA", 9, alias(4, sparkplug.Int16, 30), sparkplug.NewMetric("Tag/Battery", sparkplug.Float, 3.5, time.Time{}))
	p.want(got, err, codec.ErrNoBirth, iot.Reading{At: p.now, Battery: ptr(3.5)})
	if len(p.rebirths) != 1 {
		t.Error("asked", len(p.rebirths), "times for a birth")
	}
	p.born(3)
	// Aliases that changed unheard show by their type.
	got, err = p.send("DDATA", 2, alias(4, sparkplug.Double, 113.25))
	p.want(got, err, codec.ErrNoBirth)
	// A device that has died is known again after its birth.
	got, err = p.send("DDEATH", 3)
	p.want(got, err, nil)
	got, err = p.send("DDATA", 4, alias(4, sparkplug.Int16, 30))
	p.want(got, err, codec.ErrNoBirth)
	// A birth of which the profile knows nothing is told, once.
	got, err = p.send("DBIRTH", 5, named("Silo/Level", 8, sparkplug.Float, 1))
	p.want(got, err, codec.ErrNoMeasure)
	got, err = p.send("DDATA", 6, alias(8, sparkplug.Float, 2))
	p.want(got, err, nil)
}

func TestSparkplugRestart(t *testing.T) {
	t.Parallel()
	kept := &births{}
	first := newPlant(t, kept)
	first.born(0)
	second := newPlant(t, kept)
	got, err := second.send("DDATA", 77, alias(4, sparkplug.Int16, 30))
	second.want(got, err, nil, iot.Reading{At: second.now, Temp: ptr(30.0)})
	if len(second.rebirths) != 1 {
		t.Error("a birth may have been missed while nobody listened, and nobody asked")
	}
	// Another process took a new birth; an alias that is not known is looked up again.
	first.now = first.now.Add(time.Second)
	if _, err := first.send("DBIRTH", 2, named("Tag/Battery", 9, sparkplug.Float, 3.5)); err != nil {
		t.Fatal(err)
	}
	second.now = second.now.Add(2 * time.Second)
	got, err = second.send("DDATA", 78, alias(9, sparkplug.Float, 3.25))
	second.want(got, err, nil, iot.Reading{At: second.now, Battery: ptr(3.25)})
}

func TestSparkplugStoreDown(t *testing.T) {
	t.Parallel()
	kept := &births{fail: fault.New(fault.Unavailable, "store.unavailable", "down")}
	p := newPlant(t, kept)
	for range 2 {
		if got, err := p.send("NBIRTH", 0, session(0)); !errors.Is(err, fault.Unavailable) || len(got) > 0 {
			t.Error(got, err)
		}
	}
	kept.fail = nil
	p.born(0) // the same message can be taken once the store answers
	if len(p.states) != 1 {
		t.Error(p.states)
	}
	// The gap before a message is seen also when the message has to be taken again.
	p.now = p.now.Add(time.Minute)
	kept.fail = fault.New(fault.Unavailable, "store.unavailable", "down")
	if _, err := p.send("DDATA", 5, alias(77, sparkplug.Int16, 30)); !errors.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	kept.fail = nil
	if _, err := p.send("DDATA", 5, alias(77, sparkplug.Int16, 30)); !errors.Is(err, codec.ErrSeq) {
		t.Error(err)
	}
}

// Many edge nodes speak at once to one house.
func TestSparkplugAtOnce(t *testing.T) {
	t.Parallel()
	h := house(t)
	h.Sparkplug.Births = &births{}
	var all sync.WaitGroup
	for n := range 8 {
		edge := iot.Device{ID: fmt.Sprint("e", n), Tenant: "bank", Kind: iot.Gateway}
		send := func(kind string, seq uint64, metrics ...sparkplug.Metric) ([]codec.Item, error) {
			a, err := codec.Parse("spBv1.0/farm/" + kind)
			if err != nil {
				return nil, err
			}
			return h.Decode(t.Context(), a, edge, sparkplug.Append(nil, sparkplug.Payload{Time: received, Seq: seq, Metrics: metrics}), received, nil)
		}
		all.Go(func() {
			_, err := send("NBIRTH/"+edge.ID, 0, session(0))
			if err == nil {
				_, err = send("DBIRTH/"+edge.ID+"/t1", 1, named("Tag/Temperature", 1, sparkplug.Double, 0))
			}
			for i := uint64(2); i < 100 && err == nil; i++ {
				var items []codec.Item
				items, err = send("DDATA/"+edge.ID+"/t1", i, alias(1, sparkplug.Double, float64(n)))
				if err == nil && (len(items) != 1 || items[0].Err != nil || *items[0].Reading.Temp != float64(n)) {
					err = fmt.Errorf("edge %d: %v", n, items)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestSparkplugDeath(t *testing.T) {
	t.Parallel()
	at := func(step int, online bool) string {
		return fmt.Sprint("bank e1 ", online, " ", time.Duration(step)*time.Second)
	}
	type step struct {
		kind string
		n    float64
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"its own will", []step{{"NBIRTH", 4}, {"NDEATH", 4}}, []string{at(0, true), at(1, false)}},
		{"a late will of an older connection", []step{{"NBIRTH", 4}, {"NBIRTH", 5}, {"NDEATH", 4}}, []string{at(0, true), at(1, true)}},
		{"a late will across the turn", []step{{"NBIRTH", 255}, {"NBIRTH", 0}, {"NDEATH", 255}}, []string{at(0, true), at(1, true)}},
		{"a will that overtook its birth", []step{{"NBIRTH", 4}, {"NDEATH", 5}, {"NBIRTH", 5}}, []string{at(0, true), at(1, false)}},
		{"back after an early will", []step{{"NBIRTH", 4}, {"NDEATH", 5}, {"NBIRTH", 5}, {"NBIRTH", 6}}, []string{at(0, true), at(1, false), at(3, true)}},
		{"one number for all connections", []step{{"NBIRTH", 0}, {"NDEATH", 0}, {"NBIRTH", 0}}, []string{at(0, true), at(1, false), at(2, true)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, nil)
			for _, s := range c.steps {
				if got, err := p.send(s.kind, 0, session(s.n)); err != nil || len(got) > 0 {
					t.Error(got, err)
				}
				p.now = p.now.Add(time.Second)
			}
			if d := cmp.Diff(c.want, p.states); d != "" {
				t.Error(d)
			}
		})
	}
	p := newPlant(t, nil)
	if _, err := p.send("NDEATH", 0); !errors.Is(err, codec.ErrPayload) {
		t.Error("a will without bdSeq:", err)
	}
	// A node that is dead and speaks has come back unheard.
	p.born(0)
	_, _ = p.send("NDEATH", 0, session(0))
	if _, err := p.send("DDATA", 2, alias(4, sparkplug.Int16, 30)); err != nil || len(p.rebirths) != 1 {
		t.Error(err, p.rebirths)
	}
}

func TestSparkplugOfTooManyTimes(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	p.born(0)
	var many []sparkplug.Metric
	for i := range codec.MaxReadings + 1 {
		m := alias(4, sparkplug.Int16, 30)
		m.Time = p.now.Add(-time.Duration(i) * time.Second)
		many = append(many, m)
	}
	got, err := p.send("DDATA", 2, many...)
	p.want(got, err, codec.ErrTooMany)
	if got, err = p.send("DDATA", 3, many[1:]...); err != nil || len(got) != codec.MaxReadings {
		t.Error(len(got), err)
	}
}

func TestSparkplugOfHosts(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"spBv1.0/STATE/host", "spBv1.0/g/NCMD/e1", "spBv1.0/g/DCMD/e1/t1"} {
		items, err := decode(t, house(t), topic, iot.Device{ID: "e1", Kind: iot.Gateway}, `{"online":true}`)
		if err != nil || len(items) != 0 {
			t.Error(topic, items, err)
		}
	}
}

// A tag that is an edge node itself reads itself.
func TestSparkplugTagAsNode(t *testing.T) {
	t.Parallel()
	a, err := codec.Parse("spBv1.0/farm/NDATA/t9")
	if err != nil {
		t.Fatal(err)
	}
	payload := sparkplug.Append(nil, sparkplug.Payload{Time: received, Metrics: []sparkplug.Metric{sparkplug.NewMetric("temp_c", sparkplug.Double, 29, time.Time{})}})
	items, err := house(t).Decode(t.Context(), a, iot.Device{ID: "t9", Kind: iot.TagDevice}, payload, received, nil)
	if err != nil || len(items) != 1 || items[0].Err != nil || *items[0].Reading.Temp != 29 {
		t.Error(items, err)
	}
}

func FuzzSparkplug(f *testing.F) {
	f.Add(sparkplug.Append(nil, sparkplug.Payload{Time: received, Seq: 1, Metrics: []sparkplug.Metric{
		session(0), named("Position/Latitude", 2, sparkplug.Double, 31.5), named("Position/Longitude", 3, sparkplug.Double, 113.25), alias(4, sparkplug.Int16, 1)}}))
	fuzzFormat(f, []string{"spBv1.0/g/DDATA/g1/t1", "spBv1.0/g/NBIRTH/g1", "spBv1.0/g/DBIRTH/g1/t1", "spBv1.0/g/DDATA/g1/t1", "spBv1.0/g/NDEATH/g1"},
		iot.Device{ID: "g1", Kind: iot.Gateway})
}
