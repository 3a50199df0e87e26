package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
)

func TestSceneSearch(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/search" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"type":"FeatureCollection","links":[],"features":[
			{"type":"Feature","id":"a","collection":"c","geometry":null,"properties":{"datetime":"2026-04-11T03:05:41Z","proj:epsg":32650},"links":[],
			"assets":{"red":{"href":"s3://b/red.tif","eo:bands":[{"name":"B04"}],"raster:bands":[{"data_type":"uint16","scale":0.0001,"offset":0}],
			"proj:shape":[9,9],"proj:transform":[10,0,500000,0,-10,4000000]}}},
			{"type":"Feature","id":"b","collection":"c","geometry":null,"properties":{"datetime":null},"links":[],"assets":{}}]}`))
	}))
	defer server.Close()
	args := []string{"--api", server.URL + "/v1", "--collections", "c", "--bbox", "116,36,117,37", "--from", "2026-04-01", "--to", "2026-04-30", "--out", t.TempDir()}
	out, warn, err := call(t, runSceneSearch, args...)
	if !errors.Is(err, errNo) || !strings.Contains(out, "1 of 2 scenes") || !strings.Contains(warn, "refused b") {
		t.Errorf("%q, %q, %v", out, warn, err)
	}
	for name, change := range map[string][2]string{"box": {"--bbox", "116,36,117"}, "day": {"--from", "1 April"}, "address": {"--api", "here"}} {
		if _, _, err := call(t, runSceneSearch, append(args, change[0], change[1])...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
