package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// endless gives n bytes of a JSON string without holding them.
func endless(n int64) io.Reader {
	return io.MultiReader(strings.NewReader(`{"login":"`), io.LimitReader(letters{}, n))
}

type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// What is wrong is said clearly, in both languages, and nothing is written.
func TestBadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mine := h.plot("wang", 115.10)
	key := map[string]string{"Idempotency-Key": "a-key-of-mine"}
	ask := func(change map[string]any) map[string]any {
		m := map[string]any{"subject": map[string]string{"kind": "plot", "id": mine.ID}, "product": "crop", "asked": 1000000, "term_months": 6}
		for k, v := range change {
			m[k] = v
		}
		return m
	}
	herd := func(born string) map[string]any {
		return map[string]any{
			"owner_id": h.users["wang"].ID, "name": "herd", "species": "cattle", "fence": square(116, 43, 0.02),
			"animals": []map[string]any{{"identity": map[string]string{"scheme": "cn-67", "code": "215252400000009"}, "born": born, "tag_id": "t9"}},
		}
	}
	before := h.rows()
	for _, tt := range []struct {
		name   string
		call   call
		status int
		code   string
		zh, en string // part of the detail or of a mistake
		at     string // location of the first mistake, where there is one
	}{
		{
			"polygon that crosses itself", call{Login: "wang", Path: "/farmer/plots", Body: map[string]any{"name": "knot", "polygon": bowtie}},
			422, "plot.self_crossing", "交叉", "crosses itself near 115.5", "",
		},
		{
			"check of a polygon that crosses itself", call{Login: "wang", Path: "/farmer/plots/check", Body: map[string]any{"polygon": bowtie}},
			422, "plot.self_crossing", "交叉", "crosses itself", "",
		},
		{
			"plot of 3 m²", call{Login: "wang", Path: "/farmer/plots", Body: map[string]any{"name": "tiny", "polygon": square(115.2, 37.2, 0.0000175)}},
			422, "plot.too_small", "平方米", "the plot has 3", "",
		},
		{
			"polygon without corners", call{Login: "wang", Path: "/farmer/plots", Body: map[string]any{"name": "empty", "polygon": [][][2]float64{}}},
			422, "plot.ring", "三个", "at least three different corners", "",
		},
		{
			"polygon on the moon", call{Login: "wang", Path: "/farmer/plots", Body: map[string]any{"name": "moon", "polygon": square(4000, 37.2, 1)}},
			422, "plot.coordinates", "经纬度", "longitude and latitude", "",
		},
		{
			"30 February of an animal", call{Login: "operator", Path: "/operator/herds", Body: herd("2026-02-30")},
			422, "request.invalid", "应为真实存在的日期", "RFC 3339 date", "body.animals[0].born",
		},
		{
			"30 February of a day end", call{Login: "operator", Path: "/operator/dayend", Body: map[string]string{"date": "2026-02-30"}},
			422, "request.invalid", "应为真实存在的日期", "RFC 3339 date", "body.date",
		},
		{
			"season backwards", call{Login: "operator", Path: "/operator/reports", Body: map[string]string{"season_start": "2026-05-01", "season_end": "2026-04-01"}},
			422, "season.order", "结束日期须晚于开始日期", "must end after it starts", "body.season_end",
		},
		{
			"mistyped credit code", call{Login: "operator", Path: "/operator/firms", Body: map[string]string{"name": "某公司", "uscc": "91110000802100433C"}},
			422, "firm.uscc", "统一社会信用代码", "is not a credit code", "body.uscc",
		},
		{
			"amount below the product", call{Login: "wang", Path: "/farmer/applications", Body: ask(map[string]any{"asked": 1}), Header: key},
			422, "product.amount", "元", "between 1000.00 and 300000.00 yuan", "body.asked",
		},
		{
			"no such product", call{Login: "wang", Path: "/farmer/applications", Body: ask(map[string]any{"product": "moon"}), Header: key},
			422, "product.unknown", "moon", "there is no product moon", "",
		},
		{
			"amount as text", call{Login: "wang", Path: "/farmer/applications", Body: ask(map[string]any{"asked": "ten"}), Header: key},
			422, "request.invalid", "应为整数", "expected integer", "body.asked",
		},
		{
			"no idempotency key", call{Login: "wang", Path: "/farmer/applications", Body: ask(nil)},
			422, "request.invalid", "缺少必填参数", "required header parameter is missing", "header.Idempotency-Key",
		},
		{
			"unknown field", call{Login: "wang", Path: "/farmer/applications", Body: ask(map[string]any{"limit": 99}), Header: key},
			422, "request.invalid", "多余的字段", "unexpected property", "body.limit",
		},
		{
			"missing field", call{Login: "officer", Path: "/officer/alerts/none/close", Body: map[string]string{}},
			422, "request.invalid", "缺少必填项 cause", "expected required property cause", "body",
		},
		{
			"no JSON", call{Login: "wang", Path: "/farmer/plots", Raw: strings.NewReader(`{"name":`)},
			422, "request.unreadable", "JSON", "send JSON", "",
		},
		{
			"other content type", call{Login: "wang", Path: "/farmer/plots", Raw: strings.NewReader(`<plot/>`), Header: map[string]string{"Content-Type": "text/xml"}},
			415, "request.media_type", "application/json", "application/json", "",
		},
		{
			"short password", call{Login: "operator", Path: "/operator/users", Body: map[string]string{"login": "new", "password": "1234", "name": "n", "role": "officer"}},
			422, "user.password_weak", "至少要 8 个字符", "at least 8 characters", "body.password",
		},
		{
			"login taken", call{Login: "operator", Path: "/operator/users", Body: map[string]string{"login": "Wang", "password": password, "name": "n", "role": "officer"}},
			409, "user.login_taken", "已被使用", "the login wang is taken", "",
		},
		{
			"no such role", call{Login: "operator", Path: "/operator/users", Body: map[string]string{"login": "new", "password": password, "name": "n", "role": "king"}},
			422, "request.invalid", "只能是其中之一", "expected value to be one of", "body.role",
		},
	} {
		for lang, want := range map[string]string{"zh-CN": tt.zh, "en": tt.en} {
			c := tt.call
			c.Method, c.Path = "POST", "/api/v1"+c.Path
			if s, ok := c.Raw.(io.Seeker); ok {
				if _, err := s.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
			}
			c.Header = map[string]string{"Accept-Language": lang}
			for k, v := range tt.call.Header {
				c.Header[k] = v
			}
			r := h.do(c)
			if r.status != tt.status || r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %d %s %s", tt.name, r.status, r.header.Get("Content-Type"), r.body)
				continue
			}
			p := r.problem(t)
			if p.Code != tt.code || p.Status != tt.status || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") || p.Title == "" {
				t.Errorf("%s: %s", tt.name, r.body)
			}
			words := p.Detail
			for _, e := range p.Errors {
				words += "\n" + e.Message
			}
			if !strings.Contains(words, want) {
				t.Errorf("%s in %s: %q, want %q in it", tt.name, lang, words, want)
			}
			if tt.at != "" && (len(p.Errors) == 0 || p.Errors[0].Location != tt.at) {
				t.Errorf("%s: at %+v, want %s", tt.name, p.Errors, tt.at)
			}
		}
	}
	if after := h.rows(); after != before {
		t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
	}
}

// rows counts what is stored, but for the trail and the sessions.
func (h *house) rows() string {
	h.Helper()
	var b strings.Builder
	for _, table := range []string{"person", "plot", "herd", "animal", "device", "firm", "trade_upload", "applications", "loans"} {
		var n int
		if err := h.db.QueryRow(h.Context(), `select count(*) from `+table).Scan(&n); err != nil {
			h.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d\n", table, n)
	}
	h.jobs.mu.Lock()
	defer h.jobs.mu.Unlock()
	fmt.Fprintf(&b, "jobs %d\n", len(h.jobs.done))
	return b.String()
}

// 50 MB of JSON are refused before they are read.
func TestHugeBodies(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, tt := range []struct {
		name, login, path, kind string
		body                    io.Reader
		length                  int64
		limit                   string
	}{
		{"JSON with a length", "", "/session", "application/json", endless(50 << 20), 50<<20 + 10, "1 MiB"},
		{"JSON in chunks", "", "/session", "application/json", endless(50 << 20), -1, "1 MiB"},
		{"JSON of a signed-in person", "wang", "/farmer/plots", "application/json", endless(50 << 20), 50<<20 + 10, "1 MiB"},
		{"table of trade with a length", "foodco", "/anchor/uploads", "multipart/form-data; boundary=x", form(300 << 20), 300<<20 + int64(formHead), "257 MiB"},
		{"file with a length", "operator", "/operator/plots/import", "multipart/form-data; boundary=x", form(25 << 20), 25<<20 + int64(formHead), "20 MiB"},
		{"file in chunks", "operator", "/operator/plots/import", "multipart/form-data; boundary=x", form(25 << 20), -1, "20 MiB"},
	} {
		began := time.Now()
		r := h.doLength(call{Method: "POST", Path: "/api/v1" + tt.path, Login: tt.login, Raw: tt.body, Header: map[string]string{"Content-Type": tt.kind}}, tt.length)
		if r.status != 413 {
			t.Errorf("%s: %d %s", tt.name, r.status, r.body)
			continue
		}
		if p := r.problem(t); p.Code != "request.too_large" || !strings.Contains(p.Detail, "最多 "+tt.limit) || p.Status != 413 {
			t.Errorf("%s: %s", tt.name, r.body)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", tt.name, took)
		}
	}
}

// The parts of a form that lie in temporary files go with the request.
func TestUploadLeavesNoFiles(t *testing.T) { // not parallel: it sets TMPDIR
	h := newHouse(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	file := bytes.Repeat([]byte("x"), 300<<10)
	if r := h.upload("foodco", "/anchor/uploads", "a.csv", file, map[string]string{"kind": "invoices"}); r.status != 422 {
		t.Errorf("%d %s", r.status, r.body)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A length that is too large is answered before a byte of the body comes.
func TestHugeLengthIsRefusedUnread(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "POST /api/v1/session HTTP/1.1\r\nHost: furrow\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", res.StatusCode)
	}
}

const formHead = len("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\n")

func form(n int64) io.Reader {
	head := strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\n")
	return io.MultiReader(head, io.LimitReader(letters{}, n))
}

// Twenty wrong passwords end in a lock that says when to come back; a login that
// does not exist answers the same.
func TestTwentyWrongPasswords(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var answers [2][]string
	for i, login := range []string{"wang", "nobody"} {
		for range 20 {
			r := h.post("", "/session", map[string]string{"login": login, "password": "wrong"})
			p := r.problem(t)
			answers[i] = append(answers[i], fmt.Sprint(r.status, p.Code, p.Detail, r.header.Get("Retry-After")))
		}
	}
	for i := range 20 {
		if answers[0][i] != answers[1][i] {
			t.Errorf("try %d tells whether the login exists: %s / %s", i, answers[0][i], answers[1][i])
		}
	}
	if want := "401session.credentials用户名或密码不对"; answers[0][0] != want {
		t.Errorf("first: %s", answers[0][0])
	}
	if want := "429session.locked密码错误次数太多，已暂时锁定，请 15 分钟后再试900"; answers[0][19] != want {
		t.Errorf("last: %s", answers[0][19])
	}
	r := h.post("", "/session", map[string]string{"login": "wang", "password": password}, "Accept-Language", "en")
	if p := r.problem(t); r.status != 429 || p.Detail != "too many wrong passwords; try again in 15 minutes" {
		t.Errorf("the right password while locked: %d %s", r.status, r.body)
	}
	if strings.Contains(h.logged(), "wrong\"") || strings.Contains(h.logged(), password) {
		t.Error("a password is in the log")
	}
}

// What no room has a word for is internal: logged once with the request's id, and
// shown as no more than that.
func TestInternalError(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if _, err := h.db.Exec(t.Context(), `drop table alerts`); err != nil {
		t.Fatal(err)
	}
	r := h.get("officer", "/officer/alerts")
	p := r.problem(t)
	if r.status != 500 || p.Code != "internal" || !strings.Contains(p.Detail, p.RequestID) || strings.Contains(string(r.body), "alert") {
		t.Errorf("%d %s", r.status, r.body)
	}
	n := 0
	for line := range strings.Lines(h.logged()) {
		var l struct {
			Level, Msg string
			RequestID  string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Level == "ERROR" && l.RequestID == p.RequestID {
			n++
		}
	}
	if n != 1 {
		t.Errorf("logged %d times", n)
	}
}
