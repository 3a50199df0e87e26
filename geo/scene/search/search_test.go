package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/search"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var april = search.Query{
	Collections: []string{"sentinel-2-l2a"}, Bbox: [4]float64{116.9, 36, 117.2, 36.2},
	From: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 30, 23, 59, 59, 0, time.UTC),
}

// client waits for nothing and notes how long it would have.
func client(api string, waited *[]time.Duration) *search.Client {
	return &search.Client{
		API: api, HTTP: &http.Client{Timeout: 10 * time.Second}, Page: 2, Tries: 4, Jitter: func() float64 { return 1 },
		Wait: func(ctx context.Context, d time.Duration) error {
			if waited != nil {
				*waited = append(*waited, d)
			}
			return ctx.Err()
		},
	}
}

// item is the JSON of a plain item with the assets given.
func item(id, properties, assets string) string {
	return fmt.Sprintf(`{"type":"Feature","stac_version":"1.0.0","id":%q,"collection":"sentinel-2-l2a",
		"geometry":{"type":"Polygon","coordinates":[[[117,36],[117.1,36],[117.1,36.1],[117,36.1],[117,36]]]},
		"properties":{"datetime":"2026-04-11T03:05:41Z","proj:epsg":32650%s},"links":[],"assets":{%s}}`, id, properties, assets)
}

const grid = `"proj:shape":[60,60],"proj:transform":[10,0,500000,0,-10,4000000,0,0,1]`

// red is an asset as Earth Search writes it.
const red = `"red":{"href":"https://example.test/B04.tif","roles":["data"],"eo:bands":[{"name":"red","common_name":"red"}],
	"raster:bands":[{"nodata":0,"data_type":"uint16","scale":0.0001,"offset":-0.1}],` + grid + `}`

func page(links string, items ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(items, ",") + `],"links":[` + links + `]}`
}

func TestPaging(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	var server *httptest.Server
	mux.HandleFunc("POST /post/search", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Collections []string   `json:"collections"`
			Bbox        [4]float64 `json:"bbox"`
			Datetime    string     `json:"datetime"`
			Limit       int        `json:"limit"`
			Token       string     `json:"token"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Limit != 2 || body.Bbox != april.Bbox ||
			body.Datetime != "2026-04-01T00:00:00Z/2026-04-30T23:59:59Z" || len(body.Collections) != 1 {
			http.Error(w, fmt.Sprintf("%+v %v", body, err), http.StatusBadRequest)
			return
		}
		// The second page wants the first body with the token laid over it.
		next := fmt.Sprintf(`{"rel":"next","method":"POST","href":%q,"merge":true,"body":{"token":"two"}}`, server.URL+"/post/search")
		if body.Token == "two" {
			_, _ = w.Write([]byte(page("", item("b", "", red), item("c", "", red))))
			return
		}
		_, _ = w.Write([]byte(page(next, item("a", "", red), item("b", "", red))))
	})
	mux.HandleFunc("GET /get/search", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("token") == "" && (q.Get("bbox") != "116.9,36,117.2,36.2" || q.Get("collections") != "sentinel-2-l2a" || q.Get("limit") != "2") {
			http.Error(w, r.URL.RawQuery, http.StatusBadRequest)
			return
		}
		if q.Get("token") == "two" {
			_, _ = w.Write([]byte(page("", item("c", "", red))))
			return
		}
		_, _ = w.Write([]byte(page(`{"rel":"next","href":"search?token=two"}`, item("a", "", red), item("b", "", red))))
	})
	mux.HandleFunc("POST /circle/search", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page(`{"rel":"next","href":"/circle/next"}`, item("a", "", red))))
	})
	mux.HandleFunc("GET /circle/next", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page(`{"rel":"next","href":"/circle/next"}`, item("a", "", red))))
	})
	server = httptest.NewServer(mux)
	defer server.Close()
	ids := func(api string, q search.Query) (string, error) {
		items, err := client(api, nil).Items(t.Context(), q)
		var out []string
		for _, it := range items {
			out = append(out, it.ID)
		}
		return strings.Join(out, " "), err
	}
	for _, c := range []struct {
		name, api string
		max       int
		want      string
	}{
		{"POST with a merged body", "/post", 0, "a b c"},
		{"GET where POST is not allowed", "/get/", 0, "a b c"},
		{"no more than asked for", "/post/search", 2, "a b"},
	} {
		q := april
		q.Max = c.max
		if got, err := ids(server.URL+c.api, q); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
	if _, err := ids(server.URL+"/circle", april); !errors.Is(err, search.ErrAPI) || !strings.Contains(err.Error(), "circle") {
		t.Errorf("pages in a circle: %v", err)
	}
}

func TestBusyAPI(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("POST /soon/search", func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = w.Write([]byte(page("", item("a", "", red))))
		}
	})
	mux.HandleFunc("POST /never/search", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("POST /wrong/search", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "unknown collection", http.StatusBadRequest)
	})
	mux.HandleFunc("POST /page/search", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	server := httptest.NewServer(mux)
	defer server.Close()
	var waited []time.Duration
	if items, err := client(server.URL+"/soon", &waited).Items(t.Context(), april); err != nil || len(items) != 1 {
		t.Errorf("got %v, %v", items, err)
	}
	if len(waited) != 2 || waited[0] != 7*time.Second || waited[1] != time.Second {
		t.Errorf("waited %v: what the API asks for, then twice the first wait", waited)
	}
	waited = nil
	if _, err := client(server.URL+"/never", &waited).Items(t.Context(), april); !errors.Is(err, fault.Unavailable) || len(waited) != 3 {
		t.Errorf("got %v after %v", err, waited)
	}
	waited = nil
	if _, err := client(server.URL+"/wrong", &waited).Items(t.Context(), april); err == nil || !strings.Contains(err.Error(), "unknown collection") || len(waited) != 0 {
		t.Errorf("a wrong question is asked once: %v after %v", err, waited)
	}
	if _, err := client(server.URL+"/page", nil).Items(t.Context(), april); !errors.Is(err, search.ErrAPI) {
		t.Errorf("no JSON: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client(server.URL+"/never", nil).Items(ctx, april); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestQueryCheck(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*search.Query){
		"no collection":  func(q *search.Query) { q.Collections = nil },
		"sides swapped":  func(q *search.Query) { q.Bbox = [4]float64{117.2, 36, 116.9, 36.2} },
		"metres":         func(q *search.Query) { q.Bbox = [4]float64{500000, 4000000, 500100, 4000100} },
		"not a number":   func(q *search.Query) { q.Bbox[0] = math.NaN() },
		"days swapped":   func(q *search.Query) { q.From, q.To = q.To, q.From },
		"negative count": func(q *search.Query) { q.Max = -1 },
	} {
		q := april
		change(&q)
		if err := q.Check(); !errors.Is(err, search.ErrQuery) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// cog is a cloud-optimised GeoTIFF of two tiles' width: column + 1000·value.
func cog(t testing.TB, size int, pixel float64, dtype godal.DataType, value func(x, y int) float64) []byte {
	t.Helper()
	scene.RegisterDrivers()
	mem, err := godal.Create(godal.Memory, "", 1, dtype, size, size)
	must(t, err)
	sr, err := godal.NewSpatialRefFromEPSG(32650)
	must(t, err)
	defer sr.Close()
	must(t, mem.SetSpatialRef(sr))
	must(t, mem.SetGeoTransform([6]float64{500000, pixel, 0, 4000000, 0, -pixel}))
	buf := make([]float64, size*size)
	for k := range buf {
		buf[k] = value(k%size, k/size)
	}
	must(t, mem.Bands()[0].Write(0, 0, buf, size, size))
	path := filepath.Join(t.TempDir(), "a.tif")
	out, err := mem.Translate(path, []string{"-of", "COG", "-co", "BLOCKSIZE=256", "-co", "COMPRESS=DEFLATE"}, godal.ErrLogger(scene.Failures))
	must(t, err)
	must(t, out.Close())
	must(t, mem.Close())
	body, err := os.ReadFile(path)
	must(t, err)
	return body
}

// ranged serves a file and counts what is asked of it.
type ranged struct {
	body        []byte
	asked, sent atomic.Int64
}

func (f *ranged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Range") != "" {
		f.asked.Add(1)
	}
	http.ServeContent(count{w, &f.sent}, r, "a.tif", time.Time{}, bytes.NewReader(f.body))
}

type count struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c count) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

// read reads one pixel of a band out of the catalogue of a folder.
func read(t *testing.T, dir, id, band string, x, y int) (float64, scene.Class) {
	t.Helper()
	cat, err := scene.Open(dir)
	must(t, err)
	it, err := cat.Item(id)
	must(t, err)
	r, err := cat.Reader(it, []string{band})
	must(t, err)
	defer r.Close()
	b, err := r.Read(t.Context(), scene.Window{X: x, Y: y, W: 1, H: 1})
	must(t, err)
	return b.Bands[0][0], b.Class[0]
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestSavedScenesAreReadWhereTheyLie(t *testing.T) {
	t.Parallel()
	// Numbers that do not compress, so that reading one corner need not fetch all.
	noise := func(x, y int) float64 { return float64(1 + (x*x*7919+y*104729+x*y*31)%30000) }
	redFile := &ranged{body: cog(t, 1024, 10, godal.UInt16, noise)}
	sclFile := &ranged{body: cog(t, 512, 20, godal.Byte, func(x, _ int) float64 { return map[bool]float64{true: 9, false: 4}[x == 0] })}
	metadata := func(offsets string) string {
		return `<a><PRODUCT_URI>S2B_MSIL2A_X.SAFE</PRODUCT_URI><PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL><PROCESSING_BASELINE>05.11</PROCESSING_BASELINE>
			<PRODUCT_START_TIME>2026-04-11T03:05:41Z</PRODUCT_START_TIME><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>` + offsets + `</a>`
	}
	mux := http.NewServeMux()
	mux.Handle("/B04.tif", redFile)
	mux.Handle("/SCL.tif", sclFile)
	mux.HandleFunc("/whole/MTD_MSIL2A.xml", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(metadata(`<BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>`)))
	})
	mux.HandleFunc("/poor/MTD_MSIL2A.xml", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(metadata(""))) })
	large := `"proj:shape":[1024,1024],"proj:transform":[10,0,500000,0,-10,4000000]`
	band := func(more string) string {
		return `"red":{"href":"/B04.tif","eo:bands":[{"name":"B04","common_name":"red"}],` + more + large + `}`
	}
	scl := `"scl":{"href":"/SCL.tif","raster:bands":[{"data_type":"uint8","nodata":0}],"proj:shape":[512,512],"proj:transform":[20,0,500000,0,-20,4000000]}`
	stated := `"raster:bands":[{"nodata":0,"data_type":"uint16","scale":0.0001,"offset":-0.1}],`
	visual := `"visual":{"href":"/TCI.tif","roles":["visual"],"eo:bands":[{"name":"red"},{"name":"green"}],` + large + `}`
	mux.HandleFunc("POST /search", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page("",
			item("stated", "", strings.Join([]string{band(stated), scl, visual}, ",")),
			item("shifted", `,"earthsearch:boa_offset_applied":true,"s2:processing_baseline":"05.11"`, band(stated)),
			item("unshifted", `,"earthsearch:boa_offset_applied":false,"s2:processing_baseline":"05.11"`, band(stated)),
			item("product", "", band("")+`,"product-metadata":{"href":"/whole/MTD_MSIL2A.xml"}`),
			item("poor-product", "", band("")+`,"product-metadata":{"href":"/poor/MTD_MSIL2A.xml"}`),
			item("silent", "", band("")),
			item("half", `,"s2:processing_baseline":"05.11"`, band(`"raster:bands":[{"data_type":"uint16","scale":0.0001}],`)),
			item("picture", "", band(`"raster:bands":[{"data_type":"uint8","scale":0.0001,"offset":0}],`)),
			item("gridless", "", `"red":{"href":"/B04.tif","eo:bands":[{"name":"B04","common_name":"red"}],"raster:bands":[{"scale":0.0001,"offset":0}]}`),
			item("newer", "", `"B04_10m":{"href":"/B04.tif","bands":[{"name":"B04","eo:common_name":"red"}],"data_type":"uint16","nodata":0,"raster:scale":0.0001,"raster:offset":-0.1,"proj:code":"EPSG:32650",`+large+`}`),
		)))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	dir := t.TempDir()
	res, err := client(server.URL, nil).Save(t.Context(), april, dir)
	must(t, err)
	if res.Found != 10 || res.Items != 6 || len(res.Refused) != 4 {
		t.Fatalf("%+v", res)
	}
	for i, want := range []struct {
		id string
		is error
	}{{"poor-product", scene.ErrOffset}, {"silent", scene.ErrNoScale}, {"half", scene.ErrOffset}, {"picture", scene.ErrEightBit}} {
		if r := res.Refused[i]; r.Item != want.id || !errors.Is(r.Err, want.is) || !strings.Contains(r.Why, want.id) {
			t.Errorf("refusal %d is %v", i, r)
		}
	}
	n := noise(5, 7) * 0.0001
	for id, want := range map[string]float64{"stated": n - 0.1, "shifted": n, "unshifted": n - 0.1, "product": n - 0.1, "gridless": n, "newer": n - 0.1} {
		got, class := read(t, dir, id, "red", 5, 7)
		near(t, "red of "+id, got, want)
		if class != scene.Clear {
			t.Errorf("%s: class %v", id, class)
		}
	}
	if _, class := read(t, dir, "stated", "red", 1, 1); class != scene.Cloud {
		t.Errorf("the classification over HTTP gives %v", class)
	}
	if redFile.asked.Load() == 0 || redFile.sent.Load() > int64(len(redFile.body)) {
		t.Errorf("%d ranged requests, %d bytes sent of a file of %d", redFile.asked.Load(), redFile.sent.Load(), len(redFile.body))
	}
}

func TestLaterBaselineSupersedes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page("",
			item("old", `,"s2:processing_baseline":"04.00","grid:code":"MGRS-50SMJ"`, red),
			item("new", `,"s2:processing_baseline":"05.11","grid:code":"MGRS-50SMJ"`, red),
			item("beside", `,"s2:processing_baseline":"05.11","grid:code":"MGRS-50SNJ"`, red))))
	}))
	defer server.Close()
	dir := t.TempDir()
	res, err := client(server.URL, nil).Save(t.Context(), april, dir)
	must(t, err)
	if len(res.Superseded) != 1 || res.Superseded[0].Item != "old" || res.Superseded[0].By != "new" {
		t.Errorf("%+v", res)
	}
	cat, err := scene.Open(dir)
	must(t, err)
	if len(cat.Items()) != 2 || len(cat.Superseded()) != 1 {
		t.Errorf("%d items, %d superseded", len(cat.Items()), len(cat.Superseded()))
	}
}

func TestScenesThatWouldCoverEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	other := strings.Replace(item("a", "", red), "sentinel-2-l2a", "sentinel-2-c1-l2a", 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page("", item("a", "", red), other, item("collection", "", red), item("../b", "", red))))
	}))
	defer server.Close()
	dir := t.TempDir()
	res, err := client(server.URL, nil).Save(t.Context(), april, dir)
	must(t, err)
	if res.Found != 4 || res.Items != 1 || len(res.Refused) != 3 {
		t.Errorf("%+v", res)
	}
	cat, err := scene.Open(dir)
	must(t, err)
	if len(cat.Items()) != 1 {
		t.Errorf("%d items", len(cat.Items()))
	}
}

// Not parallel: GDAL takes the store's address from the environment.
func TestS3(t *testing.T) {
	body := cog(t, 512, 10, godal.UInt16, func(x, _ int) float64 { return float64(2000 + x) })
	mux := http.NewServeMux()
	mux.Handle("/fields/2026/B04.tif", &ranged{body: body})
	server := httptest.NewServer(mux)
	defer server.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page("", item("a", "", `"red":{"href":"s3://fields/2026/B04.tif","eo:bands":[{"name":"B04","common_name":"red"}],
			"raster:bands":[{"data_type":"uint16","scale":0.0001,"offset":0}]}`))))
	}))
	defer api.Close()
	t.Setenv("AWS_S3_ENDPOINT", strings.TrimPrefix(server.URL, "http://"))
	t.Setenv("AWS_HTTPS", "NO")
	t.Setenv("AWS_VIRTUAL_HOSTING", "FALSE")
	t.Setenv("AWS_NO_SIGN_REQUEST", "YES")
	dir := t.TempDir()
	if _, err := client(api.URL, nil).Save(t.Context(), april, dir); err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, dir, "a", "red", 300, 300)
	near(t, "red out of the store", got, 0.23)
	page, err := os.ReadFile(filepath.Join(dir, "sentinel-2-l2a", "a.json"))
	must(t, err)
	if !strings.Contains(string(page), `"s3://fields/2026/B04.tif"`) {
		t.Errorf("the catalogue names the file otherwise:\n%s", page)
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(page(`{"rel":"next","method":"POST","href":"/search","merge":true,"body":{"token":"x"}}`, item("a", "", red))))
	f.Add([]byte(page(`{"rel":"next","href":"::"}`)))
	f.Add([]byte(`{"type":"FeatureCollection","features":[null],"links":[{"rel":"next","method":"POST","body":[]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer := http.StatusOK
		c := client("http://api.test", nil)
		asked := 0
		c.HTTP = &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
			if asked++; asked > 3 {
				answer = http.StatusBadRequest
			}
			w := httptest.NewRecorder()
			w.WriteHeader(answer)
			_, _ = w.Write(body)
			res := w.Result()
			res.Request = r
			return res, nil
		})}
		if _, err := c.Items(t.Context(), april); err != nil && !errors.Is(err, fault.Unavailable) {
			t.Errorf("not a fault that a person can act on: %v", err)
		}
	})
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
