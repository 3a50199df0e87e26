package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/dashboard"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/server/face"
	"github.com/furrowcredit/furrow/store"
)

// Finding is one thing that Doctor looked at.
type Finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what to do when it is not OK
}

// Doctor looks at the machine and the configuration and changes nothing but an
// absent data folder.
func Doctor(ctx context.Context, cfg Config) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	prepared := cfg.prepare()
	checks := []struct {
		name, advice string
		look         func() (string, error)
	}{
		{"data folder", "choose a folder on a disk with room: --data", func() (string, error) { return cfg.Data, prepared }},
		{"GDAL", "install libgdal (Debian: libgdal-dev)", func() (string, error) {
			v := godal.Version()
			return fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Revision()), nil
		}},
		{"database", "check FURROW_DB; `furrow serve` migrates at its start", func() (string, error) { return lookDatabase(ctx, cfg) }},
		{"telemetry", "check --influx, the bucket and FURROW_INFLUX_TOKEN", func() (string, error) { return lookTelemetry(ctx, cfg) }},
		{"external broker", "check --broker, and that this machine may reach it; docs/formats/mosquitto.md has a safe configuration",
			func() (string, error) { return lookBroker(ctx, cfg) }},
		{"document reading", "install the Debian packages named, or run scripts/install run", func() (string, error) { return lookDocuments(ctx) }},
		{"contract font", "install the Debian packages " + contract.FontPackages + ", or run scripts/install run", lookFont},
		{"language model", "check FURROW_LLM_URL and FURROW_LLM_MODEL, or leave both out", func() (string, error) { return lookLLM(cfg) }},
		{"catalogue", "correct the file that is named, or leave --catalog out", func() (string, error) {
			c, err := readCatalogue(cfg.Catalog)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d crops, %d species, %d products", len(c.crops.Crops()), len(c.species.All()), len(c.products.All())), nil
		}},
		{"scenes", "make a catalogue: furrow scene index DIR --out " + cfg.Scenes, func() (string, error) {
			c, err := scene.Open(cfg.Scenes)
			if err != nil {
				return "", err
			}
			items := c.Items()
			if len(items) == 0 {
				return "", ErrNoScenes.With("dir", cfg.Scenes)
			}
			return fmt.Sprintf("%d scenes, %s to %s", len(items), items[0].Time.Format(time.DateOnly), items[len(items)-1].Time.Format(time.DateOnly)), nil
		}},
		{"web faces", "build them: make web, then build furrow again", func() (string, error) {
			for _, name := range face.Names() {
				f, err := dashboard.Faces().Open(name + "/index.html")
				if err != nil {
					return "", err
				}
				if err := f.Close(); err != nil {
					return "", err
				}
			}
			return strings.Join(face.Names(), ", ") + " are embedded", nil
		}},
		{"first operator", "set FURROW_OPERATOR_PASSWORD or FURROW_OPERATOR_PASSWORD_FILE for the first start", func() (string, error) {
			if cfg.OperatorPassword == "" {
				return "", errNoOperator
			}
			return cfg.Operator, nil
		}},
		{"processors", "", func() (string, error) { return fmt.Sprintf("%d, %s", runtime.NumCPU(), runtime.Version()), nil }},
	}
	out := make([]Finding, 0, len(checks))
	for _, c := range checks {
		detail, err := c.look()
		f := Finding{Name: c.name, OK: err == nil, Detail: detail}
		if err != nil {
			f.Detail, f.Advice = err.Error(), c.advice
		}
		out = append(out, f)
	}
	return append(out, lookMosquitto(ctx, cfg)...)
}

var (
	errNoOperator = errors.New("no password for the first operator is set; a house that has people already does not need one")
	errPending    = errors.New("migrations are waiting")
)

func lookDatabase(ctx context.Context, cfg Config) (string, error) {
	kind, _, _ := strings.Cut(cfg.DB, ":")
	pending, err := store.Pending(ctx, store.Config{DSN: cfg.DB})
	if err != nil {
		return "", err
	}
	if len(pending) > 0 {
		return "", fmt.Errorf("%s: %w: %s", kind, errPending, strings.Join(pending, ", "))
	}
	return kind + ", migrated", nil
}

func lookTelemetry(ctx context.Context, cfg Config) (string, error) {
	if cfg.Influx.URL == "" {
		return "embedded file in " + cfg.Data, nil
	}
	s := influx.Open(influx.Config{URL: cfg.Influx.URL, Token: cfg.Influx.Token, Org: cfg.Influx.Org, Bucket: cfg.Influx.Bucket})
	_, err := s.Latest(ctx, cfg.Tenant, []string{"doctor"})
	return "InfluxDB at " + cfg.Influx.URL, errors.Join(err, s.Close())
}

func lookBroker(ctx context.Context, cfg Config) (string, error) {
	if cfg.Broker.URL == "" {
		return "none: the embedded broker takes the readings", nil
	}
	u, err := url.Parse(cfg.Broker.URL)
	if err != nil {
		return "", err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return "", err
	}
	return cfg.Broker.URL + " answers", conn.Close()
}
