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

// ranches registers three herds, publishes what their gateways kept of the last two
// days, and has the herders borrow on them.
func (s *settler) ranches(ctx context.Context) error {
	kit := devices{Epoch: time.Now().UTC()}
	land := herd.New(herd.Config{Seed: Seed, Epoch: kit.Epoch})
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	var herds []iot.Herd
	for i, r := range land.Ranches {
		animals := make([]map[string]any, len(r.Animals))
		for k, a := range r.Animals {
			animals[k] = map[string]any{
				"identity": a.Identity, "species": a.Species, "sex": a.Sex, "born": a.Born.Format(time.DateOnly), "tag_id": a.TagID,
			}
		}
		var out struct {
			Herd        iot.Herd         `json:"herd"`
			Credentials []iot.Credential `json:"credentials"`
		}
		err := operator.post(ctx, "/operator/herds", map[string]any{
			"owner_id": s.ids[s.herders[i].Login], "name": r.Herd.Name, "species": r.Herd.Species, "fence": r.Herd.Fence,
			"animals": animals, "gateways": r.Gateways,
		}, &out)
		if err != nil {
			return err
		}
		herds = append(herds, out.Herd)
		for _, c := range out.Credentials {
			if c.Kind == iot.Gateway {
				kit.Credentials = append(kit.Credentials, c)
			}
		}
	}
	if err := writeJSON(filepath.Join(s.Dir, deviceFile), kit); err != nil {
		return err
	}
	err = land.Backfill(ctx, herd.Link{
		URL: s.MQTT, Credentials: herd.Keys(kit.Credentials),
		Progress: func(done, total int) { s.Progress("ear tags", done, total) },
	})
	if err != nil {
		return err
	}
	wanted := []apply.State{apply.Active, apply.Offered, apply.Active}
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
	return land.Live(ctx, herd.Link{URL: opt.MQTT, Credentials: herd.Keys(kit.Credentials)}, pulse, opt.Clock.Now)
}
