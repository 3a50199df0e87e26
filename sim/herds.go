package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/sim/herd"
)

// devices is what the gateways of the county sign in with; it is kept beside the
// demo, for the product shows a secret only once.
type devices struct {
	Epoch       time.Time        `json:"epoch"`
	Credentials []iot.Credential `json:"credentials"`
}

const deviceFile = "devices.json"

// ErrOld is returned for a county without its devices.
var ErrOld = fault.New(fault.Invalid, "demo.old", "this county was made by another version of Furrow; start it once with --reset")

// pulse is how often each tag of the demo speaks.
const pulse = 30 * time.Second

// ranches registers the herds with their devices, weighs and counts, publishes what
// gateways and cameras kept of the last days, and has the herders borrow.
func (s *settler) ranches(ctx context.Context) error {
	kit := devices{Epoch: time.Now().UTC()}
	land := herd.New(herd.Config{Seed: Seed, Epoch: kit.Epoch})
	var herds []iot.Herd
	for i := range land.Ranches {
		h, credentials, err := s.ranch(ctx, &land.Ranches[i], s.herders[i].Login, kit.Epoch)
		if err != nil {
			return fmt.Errorf("herd %s: %w", land.Ranches[i].Herd.Name, err)
		}
		herds = append(herds, h)
		for _, c := range credentials {
			if c.Kind != iot.TagDevice {
				kit.Credentials = append(kit.Credentials, c)
			}
		}
	}
	if err := writeJSON(filepath.Join(s.Dir, deviceFile), kit); err != nil {
		return err
	}
	err := land.Backfill(ctx, herd.Link{
		URL: s.MQTT, Credentials: herd.Keys(kit.Credentials),
		Progress: func(done, total int) { s.Progress("ear tags", done, total) },
	})
	if err != nil {
		return err
	}
	for i := range herds {
		if err := s.walk(ctx, land.Walks(i), herds[i]); err != nil {
			return err
		}
	}
	wanted := []apply.State{apply.Active, apply.Offered, apply.Active, apply.Offered}
	for i, h := range herds {
		_, err := s.borrow(ctx, ask{
			login: s.herders[i].Login, subject: credit.Subject{Kind: credit.HerdSubject, ID: h.ID}, product: "herd",
			yuan: 150_000, months: 12, purpose: "购买越冬饲草料", until: wanted[i],
		})
		if err != nil {
			return err
		}
		s.Progress("herds", i+1, len(herds))
	}
	return writeJSON(filepath.Join(s.Dir, "truth-herds.json"), land)
}

// ranch registers one herd: its animals, tags and gateways by the operator, the cameras
// too, the gate by the herder from the code on its box, and the ranch's book of weights.
func (s *settler) ranch(ctx context.Context, r *herd.Ranch, herder string, now time.Time) (h iot.Herd, all []iot.Credential, err error) {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return h, nil, err
	}
	animals := make([]map[string]any, len(r.Animals))
	for k, a := range r.Animals {
		m := map[string]any{"identity": a.Identity, "species": a.Species, "born": a.Born.Format(time.DateOnly), "tag_id": a.TagID}
		if a.Breed != "" {
			m["breed"] = a.Breed
		}
		if a.Sex != "" {
			m["sex"] = a.Sex
		}
		if !a.Bred.IsZero() {
			m["bred"] = a.Bred.Format(time.DateOnly)
		}
		if a.Heads > 0 {
			m["heads"] = a.Heads
		}
		animals[k] = m
	}
	pens := make([]map[string]any, len(r.Herd.Pens))
	for i, p := range r.Herd.Pens {
		pens[i] = map[string]any{"name": p.Name, "area": p.Area}
	}
	var out struct {
		Herd        iot.Herd         `json:"herd"`
		Credentials []iot.Credential `json:"credentials"`
	}
	err = operator.post(ctx, "/operator/herds", map[string]any{
		"owner_id": s.ids[herder], "name": r.Herd.Name, "species": r.Herd.Species, "region": r.Herd.Region, "fence": r.Herd.Fence,
		"pens": pens, "animals": animals, "gateways": r.Gateways,
	}, &out)
	if err != nil {
		return h, nil, err
	}
	more, err := s.counters(ctx, r, out.Herd, herder)
	if err != nil {
		return h, nil, err
	}
	return out.Herd, append(out.Credentials, more...), s.weigh(ctx, r, out.Herd, now)
}

// counters brings cameras and gates into a herd.
func (s *settler) counters(ctx context.Context, r *herd.Ranch, h iot.Herd, herder string) (all []iot.Credential, err error) {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return nil, err
	}
	var cameras []map[string]string
	for _, k := range r.Counters {
		if k.Kind == iot.Camera {
			cameras = append(cameras, map[string]string{"id": k.ID, "kind": string(k.Kind), "pen_id": h.Pens[k.Pen].ID})
			continue
		}
		c, err := s.claim(ctx, k, h, herder)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(cameras) == 0 {
		return all, nil
	}
	var joined struct {
		Credentials []iot.Credential `json:"credentials"`
	}
	err = operator.post(ctx, "/operator/herds/"+h.ID+"/animals", map[string]any{"devices": cameras}, &joined)
	return append(all, joined.Credentials...), err
}

// claim takes a device up from its box and has the herder claim it by its code.
func (s *settler) claim(ctx context.Context, k herd.Counter, h iot.Herd, herder string) (c iot.Credential, err error) {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return c, err
	}
	var box struct {
		Devices []iot.NewClaim `json:"devices"`
	}
	table := fmt.Sprintf("device,kind\n%s,%s\n", k.ID, k.Kind)
	if err := operator.upload(ctx, "/operator/devices", nil, "box.csv", []byte(table), &box); err != nil {
		return c, err
	}
	if len(box.Devices) != 1 {
		return c, fmt.Errorf("%d devices were taken up, not one", len(box.Devices))
	}
	who, err := s.as(ctx, herder)
	if err != nil {
		return c, err
	}
	err = who.post(ctx, "/farmer/herds/"+h.ID+"/devices", map[string]string{"device_id": k.ID, "code": box.Devices[0].Code}, &c)
	return c, err
}

// weigh brings the ranch's book of weights in.
func (s *settler) weigh(ctx context.Context, r *herd.Ranch, h iot.Herd, now time.Time) error {
	all := r.Weighings(now)
	if len(all) == 0 {
		return nil
	}
	table := []byte("耳标号,称重日期,体重,称重方法\n")
	for _, w := range all {
		table = fmt.Appendf(table, "%s,%s,%.1f,地磅\n", w.Code, w.At.Format(time.DateOnly), w.Kg)
	}
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	var account register.Account
	if err := operator.upload(ctx, "/operator/herds/"+h.ID+"/import", nil, "称重记录.csv", table, &account); err != nil {
		return err
	}
	if account.Weighings != len(all) {
		return fmt.Errorf("%d of %d weighings were taken: %+v", account.Weighings, len(all), account.Refusals)
	}
	return nil
}

// walk enters what the officer counted: what the cameras miss is learnt from that.
func (s *settler) walk(ctx context.Context, walks []herd.Walk, h iot.Herd) error {
	officer, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	for _, w := range walks {
		err := officer.post(ctx, "/officer/herds/"+h.ID+"/counts", map[string]any{"pen_id": h.Pens[w.Pen].ID, "at": w.At, "seen": w.Seen}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// Live lets the animals of a settled county live on until ctx ends.
func Live(ctx context.Context, opt Options) error {
	b, err := os.ReadFile(filepath.Join(opt.Dir, deviceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrOld
	}
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	var kit devices
	if err := json.Unmarshal(b, &kit); err != nil {
		return fmt.Errorf("sim: %s: %w", deviceFile, err)
	}
	land := herd.New(herd.Config{Seed: Seed, Epoch: kit.Epoch})
	err = land.Live(ctx, herd.Link{URL: opt.MQTT, Credentials: herd.Keys(kit.Credentials)}, pulse, opt.Clock.Now)
	if errors.Is(err, herd.ErrNoCredential) {
		return ErrOld.Because(err)
	}
	return err
}
