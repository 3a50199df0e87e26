package app

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/ingest/spool"
	"github.com/furrowcredit/furrow/iot/timeline"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/store/herd"
)

// openIngest makes what takes messages in: spool, decoders, pipeline and broker.
func (a *App) openIngest(ctx context.Context, books catalogue, herds *herd.Store, counts *count.Service, desk *watch.Desk) error {
	cfg := a.cfg
	kept, err := spool.Open(filepath.Join(cfg.Data, "spool"), cfg.SpoolMax)
	if err != nil {
		return err
	}
	a.spool = kept
	a.close = append(a.close, kept.Close)
	house := &codec.House{Profiles: books.profiles}
	house.Sparkplug.Births = herds
	house.Sparkplug.Rebirth = a.command
	house.Sparkplug.Edge = func(ctx context.Context, tenant, edge string, online bool, at time.Time) {
		a.present(ctx, tenant, iot.Presence{Gateway: edge, Online: online, At: at})
	}
	house.Presence = a.present
	a.counted = make(chan [2]string, 1024)
	a.pipeline = ingest.New(ingest.Config{
		Herds: herds, Series: a.readings, Counts: counted{counts, a.counted}, House: house, Judge: books.motion.Judge, Spool: kept,
		Observe: a.engine.Observe, Raise: desk.Herd, Tenant: cfg.Tenant, Now: cfg.Now, Log: cfg.Log,
	})
	a.close = append(a.close, func() error { // before the stores, which were opened earlier
		a.pipeline.Drain()
		return a.engine.Close(context.WithoutCancel(ctx))
	})
	if cfg.MQTT == "" {
		return nil
	}
	secure, err := cfg.MQTTTLS.Server()
	if err != nil {
		return err
	}
	a.broker = broker.New(broker.Config{Addr: cfg.MQTT, TLS: secure, Herds: herds, Pipeline: a.pipeline, Now: cfg.Now, Log: cfg.Log})
	return a.broker.Listen(ctx)
}

// present tells the watch of a gateway that came online or died, or of a tag that its
// gateway says this of. A tag that publishes by itself is known by its rhythm.
func (a *App) present(ctx context.Context, tenant string, p iot.Presence) {
	d, err := a.pipeline.Device(ctx, tenant, p.Gateway)
	if err == nil && (d.Kind != iot.Gateway || d.HerdID == "") {
		return
	}
	if err == nil {
		err = a.engine.Connected(ctx, tenant, d.HerdID, p)
	}
	if err != nil {
		a.cfg.Log.Warn("the watch could not be told of a gateway", "gateway", p.Gateway, "tag", p.Tag, "online", p.Online, "error", err)
	}
}

// command sends a message to a device, through whichever broker it is connected to.
func (a *App) command(_ context.Context, tenant, topic string, payload []byte) {
	edge := topic[strings.LastIndexByte(topic, '/')+1:]
	var err error
	if a.broker != nil {
		if err = a.broker.Command(tenant, edge, topic, payload); err == nil {
			return
		}
	}
	if a.cfg.Broker.URL != "" {
		err = a.line.Publish(topic, payload)
	}
	if err != nil {
		a.cfg.Log.Warn("a command could not be sent", "topic", topic, "error", err)
	}
}

// cutOff ends the connections of a device whose secret counts no longer.
func (a *App) cutOff(tenant, device string) {
	a.pipeline.Forget(tenant, device)
	if a.broker != nil {
		a.broker.Disconnect(tenant, device)
	}
}

// subscribe reads the external broker until ctx ends.
func (a *App) subscribe(ctx context.Context) error {
	b := a.cfg.Broker
	secure, err := b.TLS.load()
	if err != nil {
		return err
	}
	formats, err := formatsOf(b.Formats)
	if err != nil {
		return err
	}
	return ingest.Subscribe(ctx, ingest.SubscribeConfig{
		URL: b.URL, ClientID: b.ClientID, Username: b.Username, Password: b.Password, TLS: secure, Share: b.Share,
		Formats: formats, Tenant: a.cfg.Tenant, Line: &a.line, Log: a.cfg.Log,
	}, a.pipeline)
}

// formatsOf checks the names of payload formats. ErrFormat.
func formatsOf(names []string) ([]codec.Format, error) {
	known := []codec.Format{codec.JSON, codec.CBOR, codec.Counts, codec.ThingsBoard, codec.ChirpStack, codec.Sparkplug}
	var out []codec.Format
	for _, name := range names {
		f := codec.Format(strings.TrimSpace(name))
		if !slices.Contains(known, f) {
			words := make([]string, len(known))
			for i, k := range known {
				words[i] = string(k)
			}
			return nil, ErrFormat.With("format", name).With("known", strings.Join(words, ", "))
		}
		out = append(out, f)
	}
	return out, nil
}

// counted keeps counts and notes whose they are, so that they are set against the tags.
type counted struct {
	*count.Service
	herds chan<- [2]string
}

// AddHeadcounts implements ingest.Counts.
func (c counted) AddHeadcounts(ctx context.Context, counts []iot.Headcount) error {
	if err := c.Service.AddHeadcounts(ctx, counts); err != nil {
		return err
	}
	for _, h := range counts {
		select {
		case c.herds <- [2]string{h.Tenant, h.HerdID}:
		default: // the next count of the herd is in time
		}
	}
	return nil
}

// reviewPause gathers the counts of several cameras into one review.
const reviewPause = 2 * time.Second

// reviewCounts sets new counts against the tags until ctx ends.
func (a *App) reviewCounts(ctx context.Context) error {
	waiting := make(map[[2]string]bool)
	var soon <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case h := <-a.counted:
			waiting[h] = true
			if soon == nil {
				soon = time.After(reviewPause)
			}
		case <-soon:
			for h := range waiting {
				if err := a.herds.Review(ctx, h[0], h[1]); err != nil && ctx.Err() == nil {
					a.cfg.Log.Error("the counts of a herd could not be reviewed", "herd", h[1], "error", err)
				}
			}
			clear(waiting)
			soon = nil
		}
	}
}

// kept is something that is removed when it is old enough.
type kept struct {
	what   string
	keep   time.Duration // 0 for ever
	expire func(ctx context.Context, before time.Time) error
}

// expire removes what is kept no longer, once a day, until ctx ends. What keeps it from
// being removed is logged and tried again in an hour: it must not keep new readings
// from being taken.
func (a *App) expire(ctx context.Context) error {
	herds := herd.New(a.db)
	all := []kept{
		{"readings", a.cfg.Keep, a.readings.Expire},
		{"refused messages", a.cfg.KeepRefused, herds.ExpireQuarantined},
		{"counts", a.cfg.KeepCounts, herds.ExpireHeadcounts},
	}
	all = slices.DeleteFunc(all, func(k kept) bool { return k.keep <= 0 })
	for len(all) > 0 {
		wait := 24 * time.Hour
		for _, k := range all {
			if err := k.expire(ctx, a.cfg.Now().Add(-k.keep)); err != nil && ctx.Err() == nil {
				a.cfg.Log.Error("what is kept no longer could not be removed; trying again in an hour", "what", k.what, "error", err)
				wait = time.Hour
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return nil
}

// animals answers what is asked of single animals.
type animals struct {
	*count.Service
	weighings
	register iot.Registry
	app      *App
}

type weighings = worth.Weighings

// Timeline implements officer.Animals. What a tag told before the house registered its
// animal is the animal's too, when nobody wore the tag before.
func (x animals) Timeline(ctx context.Context, tenant string, life iot.Life, from, to time.Time, step time.Duration) (timeline.Timeline, error) {
	if len(life.Tags) > 0 {
		worn, err := x.register.Wearers(ctx, tenant, life.Tags[0].Tag)
		if err != nil {
			return timeline.Timeline{}, err
		}
		if len(worn) > 0 && worn[0].Animal == life.Animal.ID && worn[0].From.Equal(life.Tags[0].From) {
			life.Tags = slices.Clone(life.Tags)
			life.Tags[0].From = time.Time{}
		}
	}
	sp, _ := x.app.herds.Species.Get(life.Animal.Species) // without one every position is believed that says it is accurate
	return timeline.Of(ctx, x.app.readings, tenant, life, &sp.Watch, from, to, step)
}

// Confirm implements officer.Animals.
func (x animals) Confirm(ctx context.Context, tenant, animalID string, alive bool, by string) error {
	return x.app.engine.Confirm(ctx, tenant, animalID, alive, by)
}

// openOf returns what is open of each animal and gateway of a herd.
func openOf(desk *watch.Desk) func(context.Context, string, string) (map[string][]iot.EventKind, error) {
	return func(ctx context.Context, tenant, herdID string) (map[string][]iot.EventKind, error) {
		out := make(map[string][]iot.EventKind)
		const page = 500
		for f := (watch.Filter{Open: true, SubjectID: herdID, Limit: page}); ; {
			alerts, err := desk.List(ctx, tenant, f)
			if err != nil {
				return nil, err
			}
			for _, a := range alerts {
				out[a.Item] = append(out[a.Item], iot.EventKind(a.Kind))
			}
			if len(alerts) < page {
				return out, nil
			}
			f.Before = alerts[page-1].ID
		}
	}
}

// forget deletes what a device sent: readings, and what of it is in quarantine. While
// readings wait in the spool nothing is deleted, because they would come back.
func (a *App) forget(herds *herd.Store) func(context.Context, string, string) error {
	return func(ctx context.Context, tenant, device string) error {
		if a.spool.Bytes() > 0 {
			return ErrSpooled
		}
		if err := a.readings.Delete(ctx, tenant, device); err != nil {
			return err
		}
		return herds.ForgetQuarantined(ctx, tenant, device)
	}
}

// impostors counts the open alerts of a herd's devices that published as others.
func impostors(desk *watch.Desk) func(context.Context, string, string) (int, error) {
	return func(ctx context.Context, tenant, herdID string) (int, error) {
		open, err := desk.List(ctx, tenant, watch.Filter{SubjectID: herdID, Kind: string(iot.Impostor), Open: true})
		return len(open), err
	}
}
