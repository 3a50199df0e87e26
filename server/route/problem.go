package route

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/server/message"
)

const problemType = "application/problem+json"

// Problem is what a caller gets instead of an answer (RFC 9457), with the stable
// code of the fault and the id that finds the request in the logs.
type Problem struct { //nolint:errname // RFC 9457 calls it a problem, and so do the clients
	Type      string    `json:"type" doc:"about:blank: the code says which problem it is"`
	Title     string    `json:"title" doc:"HTTP status text"`
	Status    int       `json:"status"`
	Detail    string    `json:"detail" doc:"what is wrong and what to do, in the reader's language"`
	Code      string    `json:"code" doc:"stable code of the problem, such as plot.too_small"`
	Errors    []Mistake `json:"errors,omitempty" doc:"what is wrong, place by place"`
	RequestID string    `json:"request_id"`

	retryAfter string // seconds
}

// Mistake is one wrong place in the input.
type Mistake struct {
	Location string `json:"location" doc:"such as body.asked or row 3"`
	Message  string `json:"message" doc:"in the reader's language"`
	Value    any    `json:"value,omitempty"`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus makes the problem an answer of the HTTP framework.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes the answer application/problem+json.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders gives Retry-After where it is known.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

// Status is the one mapping from errors to HTTP.
func Status(err error) int {
	for _, m := range []struct {
		kind   error
		status int
	}{
		{fault.Invalid, http.StatusUnprocessableEntity},
		{fault.NotFound, http.StatusNotFound},
		{fault.Conflict, http.StatusConflict},
		{fault.Forbidden, http.StatusForbidden},
		{fault.Unauthorized, http.StatusUnauthorized},
		{fault.Unavailable, http.StatusServiceUnavailable},
		{fault.TooLarge, http.StatusRequestEntityTooLarge},
		{fault.TooMany, http.StatusTooManyRequests},
	} {
		if errors.Is(err, m.kind) {
			return m.status
		}
	}
	return http.StatusInternalServerError
}

// Problem turns err into what the caller sees. An error without a kind is logged
// here, once, and shown only as internal.
func (a *API) Problem(ctx context.Context, err error) *Problem {
	id, lang := RequestID(ctx), Lang(ctx)
	if fault.Kind(err) == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		err = ErrBusy.Because(err)
	}
	p := &Problem{Type: "about:blank", Status: Status(err), RequestID: id}
	p.Title = http.StatusText(p.Status)
	var f *fault.Error
	if p.Status == http.StatusInternalServerError || !errors.As(err, &f) {
		a.cfg.Log.ErrorContext(ctx, "internal error", "request_id", id, "error", err)
		return a.internal(ctx)
	}
	if p.Status == http.StatusServiceUnavailable {
		a.cfg.Log.WarnContext(ctx, "unavailable", "request_id", id, "error", err)
	}
	p.Code, p.Detail = f.Code, a.cfg.Words.Fault(lang, f)
	if f.Place != "" {
		p.Errors = []Mistake{{Location: f.Place, Message: p.Detail}}
	}
	for _, x := range further(err, f) {
		p.Errors = append(p.Errors, Mistake{Location: x.Place, Message: a.cfg.Words.Fault(lang, x)})
	}
	if minutes, err := strconv.Atoi(f.Args["minutes"]); err == nil && p.Status == http.StatusTooManyRequests {
		p.retryAfter = strconv.Itoa(60 * minutes)
	}
	return p
}

// maxMistakes bounds what one answer lists.
const maxMistakes = 200

// further are the other faults with a place of an error that gathers several.
func further(err error, first *fault.Error) (list []*fault.Error) {
	var walk func(err error)
	walk = func(err error) {
		if f, ok := err.(*fault.Error); ok { //nolint:errorlint // each error of the tree is looked at by itself
			if f != first && f.Place != "" && len(list) < maxMistakes {
				list = append(list, f)
			}
			return
		}
		switch x := err.(type) { //nolint:errorlint // likewise
		case interface{ Unwrap() []error }:
			for _, e := range x.Unwrap() {
				walk(e)
			}
		case interface{ Unwrap() error }:
			walk(x.Unwrap())
		}
	}
	walk(err)
	return list
}

// Write answers r with the problem of err, outside of any operation.
func (a *API) Write(w http.ResponseWriter, r *http.Request, err error) {
	a.WriteStatus(w, r, err, 0)
}

// WriteStatus is Write with another status than the error's own.
func (a *API) WriteStatus(w http.ResponseWriter, r *http.Request, err error, status int) {
	p := a.Problem(r.Context(), err)
	if status != 0 {
		p.Status, p.Title = status, http.StatusText(status)
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = jsonFormat.Marshal(w, p) // nobody is left to tell
}

// translate turns the framework's own errors into problems: the same shape, a
// code, and the reader's language.
func (a *API) translate(hc huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx := hc.Context()
	lang := Lang(ctx)
	err := ErrInvalid
	var mistakes []Mistake
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		if strings.Contains(d.Message, "request body too large") {
			m.Status = http.StatusRequestEntityTooLarge
		}
		place, message := unfit(d.Location, d.Message)
		mistakes = append(mistakes, Mistake{Location: place, Message: a.cfg.Words.Phrase(lang, message), Value: short(d.Value)})
	}
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		err, mistakes = ErrTooLarge.With("limit", (hc.Operation().MaxBodyBytes-1)>>20), nil
	case http.StatusRequestTimeout:
		err = ErrTimeout
	case http.StatusUnsupportedMediaType:
		err = ErrMediaType
	case http.StatusInternalServerError:
		// What the framework calls internal is a body that broke off under way.
		err = ErrUnreadable
	case http.StatusBadRequest:
		err = ErrUnreadable
	}
	p := a.Problem(ctx, err)
	p.Errors = mistakes
	if m.Status == http.StatusUnsupportedMediaType {
		p.Status, p.Title = m.Status, http.StatusText(m.Status)
	}
	if g := asGuarded(hc); g != nil {
		g.override = p.Status
	}
	return p, nil
}

// decoding is what encoding/json says of a value that has no place in its Go field.
var decoding = regexp.MustCompile(`^json: cannot unmarshal (number|string|bool|array|object)(?: \S+)? into Go (?:struct field [^. ]*\.(\S+)|value) of type \S+$`)

// unfit says of such a value where it stands and what is wrong, without the names of types.
func unfit(place, message string) (string, string) {
	m := decoding.FindStringSubmatch(message)
	if m == nil {
		return place, message
	}
	if m[2] != "" {
		place += "." + m[2]
	}
	if m[1] == "number" {
		return place, "expected whole number of at most 18 digits"
	}
	return place, "expected value of another kind"
}

func asGuarded(hc huma.Context) *guarded {
	for {
		if g, ok := hc.(*guarded); ok {
			return g
		}
		u, ok := hc.(interface{ Unwrap() huma.Context })
		if !ok {
			return nil
		}
		hc = u.Unwrap()
	}
}

// short keeps an echoed value small: nobody wants their megabyte back.
func short(v any) any {
	switch s := v.(type) {
	case string:
		if r := []rune(s); len(r) > 80 {
			return string(r[:80]) + "…"
		}
		return s
	case float64, bool, nil:
		return v
	}
	return nil
}

type requestKey struct{}

// Request is what the outermost handler knows of a request. Actor is filled in when
// an operation has found it, for the log.
type Request struct {
	ID    string
	Lang  string
	Actor access.Actor
}

// WithRequest returns a context that carries r.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func request(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

func note(ctx context.Context, who access.Actor) {
	if r := request(ctx); r != nil {
		r.Actor = who
	}
}

// RequestID returns the id of the running request.
func RequestID(ctx context.Context) string {
	if r := request(ctx); r != nil {
		return r.ID
	}
	return ""
}

// Lang returns the language of the reader of the running request.
func Lang(ctx context.Context) string {
	if r := request(ctx); r != nil {
		return r.Lang
	}
	return message.Chinese
}

// WriteInternal answers r as for an internal error that is logged already.
func (a *API) WriteInternal(w http.ResponseWriter, r *http.Request) {
	p := a.internal(r.Context())
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = jsonFormat.Marshal(w, p) // nobody is left to tell
}

func (a *API) internal(ctx context.Context) *Problem {
	id := RequestID(ctx)
	return &Problem{
		Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Code: "internal", RequestID: id,
		Detail: a.cfg.Words.Text(Lang(ctx), "internal", "something went wrong; try again, and if it stays so give the number {request_id} to the administrator",
			map[string]string{"request_id": id}),
	}
}
