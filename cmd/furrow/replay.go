package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/sim/herd"
)

// runTagReplay publishes the fixes of a file as tags over MQTT.
func runTagReplay(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("tag replay", "--fixes F.csv[.gz] --fence F [--pen ID] [--map LON,LAT] (--plan | --url tcp://HOST:PORT --credentials F.json [--speed 100])", std)
	fixFile := fs.String("fixes", "", "CSV of fixes: tag, time, and lon, lat or x, y")
	fenceFile := fs.String("fence", "", "GeoJSON of one polygon, or CSV of corners, in the same coordinates")
	pen := fs.String("pen", "", "which pen of a CSV that has several")
	place := fs.String("map", "", "where the middle of a fence in local metres lies: longitude,latitude")
	plan := fs.Bool("plan", false, "print the herd to register (the body of POST /api/v1/operator/herds) and publish nothing")
	owner := fs.String("owner", "", "user id of the owner, for --plan")
	name := fs.String("name", "replay", "name of the herd, for --plan")
	kind := fs.String("species", "cattle", "species, for --plan")
	age := fs.Int("age", 15, "age of the animals in months, for --plan")
	url := fs.String("url", "tcp://127.0.0.1:1883", "MQTT broker")
	keys := fs.String("credentials", "", "the answer of the registration: JSON with credentials")
	speed := fs.Float64("speed", 100, "multiple of the real speed")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case *fixFile == "" || *fenceFile == "" || len(rest) > 0:
		return errUsage.With("why", "give --fixes and --fence")
	case !*plan && *keys == "":
		return errUsage.With("why", "give --credentials, or --plan to print the herd to register")
	case !(*speed > 0):
		return errUsage.With("why", "--speed must be above 0")
	}
	at, err := parsePlace(*place)
	if err != nil {
		return err
	}
	tracks, err := herd.ReadTracks(*fixFile, *fenceFile, *pen, at)
	if err != nil {
		return err
	}
	if *plan {
		r := tracks.Ranch(*name, *kind, time.Now().AddDate(0, -*age, 0))
		animals := make([]map[string]any, len(r.Animals))
		for i, a := range r.Animals {
			animals[i] = map[string]any{"identity": a.Identity, "born": a.Born.Format(time.DateOnly), "tag_id": a.TagID}
		}
		return printJSON(std.Out, map[string]any{"owner_id": *owner, "name": r.Herd.Name, "species": r.Herd.Species,
			"fence": r.Herd.Fence, "animals": animals, "gateways": []string{}})
	}
	creds, err := readCredentials(*keys)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(std.Err, "%d tags, %v at %g times the real speed\n", len(tracks.Tags), tracks.Duration(*speed).Round(time.Second), *speed)
	percent := -1
	link := herd.Link{URL: *url, Credentials: creds, Progress: func(done, total int) {
		if p := 100 * done / total; p != percent {
			percent = p
			_, _ = fmt.Fprintf(std.Err, "\r%3d %% of %d fixes", p, total)
		}
	}}
	err = tracks.Replay(ctx, link, *speed, time.Now)
	_, _ = fmt.Fprintln(std.Err)
	return err
}

// parsePlace reads "lon,lat".
func parsePlace(s string) (orb.Point, error) {
	if s == "" {
		return orb.Point{}, nil
	}
	lon, lat, ok := strings.Cut(s, ",")
	x, err1 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	if !ok || err1 != nil || err2 != nil || !(x >= -180 && x <= 180 && y >= -90 && y <= 90) {
		return orb.Point{}, errUsage.With("why", fmt.Sprintf("--map %q is not longitude,latitude", s))
	}
	return orb.Point{x, y}, nil
}

// readCredentials reads the answer of a registration, or its list of credentials.
func readCredentials(name string) (map[string]iot.Credential, error) {
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, errUsage.With("why", "the credentials cannot be read: "+err.Error())
	}
	var doc struct {
		Credentials []iot.Credential `json:"credentials"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || len(doc.Credentials) == 0 {
		if err := json.Unmarshal(body, &doc.Credentials); err != nil {
			return nil, errUsage.With("why", name+" has no list of credentials")
		}
	}
	return herd.Keys(doc.Credentials), nil
}
