package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/bench/iot/fleet"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
)

// Tenant is the bank of every house of a rig.
const Tenant = "bank"

const (
	operator = "operator"
	password = "harvest-2026"
)

// House is a furrow serve.
type House struct {
	*Process
	URL  string
	MQTT string // host:port of its own broker, "" without one
	Data string
}

// Furrow starts a house on the folder data, with more flags. Its own broker listens
// unless the flags say otherwise.
func (r *Rig) Furrow(ctx context.Context, name, data string, flags ...string) (*House, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	mqtt, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	h := &House{URL: "http://" + addr, MQTT: mqtt, Data: data}
	argv := append(append([]string{}, r.Exe...), "serve", "--data", data, "--addr", addr, "--mqtt", mqtt, "--tenant", Tenant)
	env := []string{"FURROW_OPERATOR_PASSWORD=" + password}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FURROW_") {
			env = append(env, v)
		}
	}
	h.Process = &Process{Name: name, argv: append(argv, flags...), env: append(env, r.Env...), up: func(ctx context.Context) error {
		_, err := Get(ctx, h.URL+"/readyz")
		return err
	}}
	return h, r.add(ctx, h.Process)
}

// Metric is the value of a counter that the house shows.
func (h *House) Metric(ctx context.Context, name string) (float64, error) {
	page, err := Get(ctx, h.URL+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("%s shows no %s", h.Name, name)
}

// Person is somebody who is signed in at a house.
type Person struct {
	house *House
	Token string
}

// Operator signs the first person of the house in.
func (h *House) Operator(ctx context.Context) (*Person, error) {
	p := &Person{house: h}
	var in struct{ Token string }
	err := p.Post(ctx, "/session", map[string]string{"login": operator, "password": password}, &in)
	p.Token = in.Token
	return p, err
}

// Post sends in as JSON and reads the answer into out.
func (p *Person) Post(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.house.URL+"/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", ident.New())
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	body, err := answer(req)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal([]byte(body), out)
}

// Fence is the ground on which the fleets' animals wander.
var Fence = orb.Polygon{{{114.4, 35}, {114.41, 35}, {114.41, 35.01}, {114.4, 35.01}, {114.4, 35}}}

// Register registers a herd of so many tagged cattle for each of the gateways, with
// the names that a fleet uses, and gives the gateways' credentials.
func (h *House) Register(ctx context.Context, gateways, tags int) ([]iot.Credential, error) {
	who, err := h.Operator(ctx)
	if err != nil {
		return nil, err
	}
	var owner struct{ ID string }
	person := map[string]string{"login": "herder", "password": password, "name": "herder", "role": "borrower"}
	if err := who.Post(ctx, "/operator/users", person, &owner); err != nil {
		return nil, err
	}
	keys := make([]iot.Credential, gateways)
	for g := range keys {
		animals := make([]map[string]any, tags)
		for n := range animals {
			animals[n] = map[string]any{
				"identity": map[string]string{"scheme": iot.SchemeCN67, "code": fmt.Sprintf("2410725%08d", 1+g*tags+n)},
				"born":     "2025-03-01", "tag_id": fleet.TagName(g*tags + n),
			}
		}
		var out struct{ Credentials []iot.Credential }
		err := who.Post(ctx, "/operator/herds", map[string]any{
			"owner_id": owner.ID, "name": fmt.Sprint("herd ", g), "species": "cattle", "animals": animals,
			"gateways": []string{fmt.Sprint("gw", g)}, "fence": Fence,
		}, &out)
		if err != nil {
			return nil, err
		}
		for _, c := range out.Credentials {
			if c.Kind == iot.Gateway {
				keys[g] = c
			}
		}
	}
	return keys, nil
}

// Copy copies the folder of a house that is stopped, registered herds and all.
func Copy(from, to string) error {
	return os.CopyFS(to, os.DirFS(filepath.Clean(from)))
}
