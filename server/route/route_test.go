package route_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/server/route"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want int
	}{
		{access.ErrNoSession, http.StatusUnauthorized},
		{access.ErrRole, http.StatusForbidden},
		{fmt.Errorf("store: %w", access.ErrUserNotFound), http.StatusNotFound},
		{access.ErrLoginTaken.With("login", "x"), http.StatusConflict},
		{access.ErrWeak, http.StatusUnprocessableEntity},
		{access.ErrLocked, http.StatusTooManyRequests},
		{route.ErrTooLarge, http.StatusRequestEntityTooLarge},
		{route.ErrBusy.Because(errors.New("x")), http.StatusServiceUnavailable},
		{errors.New("disk full"), http.StatusInternalServerError},
	} {
		if got := route.Status(tt.err); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}

type leaf struct {
	Names []string `json:"names"`
}

type tree struct {
	Leaves []leaf            `json:"leaves"`
	Map    map[string]string `json:"map"`
	ByName map[string]leaf   `json:"by_name"`
	Next   *leaf             `json:"next,omitempty"`
	At     time.Time         `json:"at"`
	Raw    []byte            `json:"raw,omitempty"`
	Any    any               `json:"any,omitempty"`
	hidden []string
}

// No list or map of an answer is null, and what is shared is not written to.
func TestFilled(t *testing.T) {
	t.Parallel()
	shared := tree{Leaves: []leaf{{}, {Names: []string{"a"}}}, ByName: map[string]leaf{"x": {}}, Next: &leaf{}, Any: leaf{}}
	b, err := json.Marshal(route.Filled(shared))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"leaves":[{"names":[]},{"names":["a"]}],"map":{},"by_name":{"x":{"names":[]}},"next":{"names":[]},"at":"0001-01-01T00:00:00Z","any":{"names":[]}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if shared.Leaves[0].Names != nil || shared.ByName["x"].Names != nil || shared.Next.Names != nil || shared.hidden != nil {
		t.Errorf("the original changed: %+v", shared)
	}
	for _, v := range []any{nil, 1, "x", (*tree)(nil), []string(nil)} {
		_ = route.Filled(v)
	}
	if got, _ := json.Marshal(route.Filled([]string(nil))); string(got) != "[]" {
		t.Errorf("got %s", got)
	}
}

func ExamplePage() {
	plots := []string{"p1", "p2"}
	page, _ := route.Page(plots, nil, 2, func(id string) string { return id })
	fmt.Println(page.Body.Items, page.Body.Next)
	last, _ := route.Page(plots, nil, 3, func(id string) string { return id })
	fmt.Printf("%v %q\n", last.Body.Items, last.Body.Next)
	// Output:
	// [p1 p2] p2
	// [p1 p2] ""
}
