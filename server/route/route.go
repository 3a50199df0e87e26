// Package route is the frame in which the faces register their operations: it
// finds who asks, holds the table of roles over every operation, bounds bodies,
// writes the audit trail, and turns errors into RFC 9457 problems in the reader's
// language. A face hands over typed functions and knows nothing of HTTP.
package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/server/message"
)

// Limits of request bodies, in bytes.
const (
	MaxJSON   = 1 << 20
	MaxUpload = 20 << 20
)

// maxTime bounds the work on one request; longer work goes into the background.
const maxTime = 90 * time.Second

// Prefix stands before every path of the API.
const Prefix = "/api/v1"

// Cookie is the name of the session cookie.
const Cookie = "furrow_session"

// Anyone in the table of roles opens an operation to people without a session.
const Anyone access.Role = "anyone"

// What can be wrong with a request before any room sees it.
var (
	ErrTooLarge    = fault.New(fault.TooLarge, "request.too_large", "the content is too large; at most {limit} MiB are taken at once: split it")
	ErrInvalid     = fault.New(fault.Invalid, "request.invalid", "something in the request is wrong; mend what is listed below")
	ErrUnreadable  = fault.New(fault.Invalid, "request.unreadable", "the content cannot be read: send JSON")
	ErrTimeout     = fault.New(fault.Unavailable, "request.timeout", "the content came too slowly; check the network and try again")
	ErrNotFound    = fault.New(fault.NotFound, "request.not_found", "there is nothing at this address")
	ErrMethod      = fault.New(fault.Invalid, "request.method", "this address does not take that method")
	ErrMediaType   = fault.New(fault.Invalid, "request.media_type", "this content type is not taken: send application/json")
	ErrCrossOrigin = fault.New(fault.Forbidden, "request.cross_origin", "the request came from another site")
	ErrBusy        = fault.New(fault.Unavailable, "request.busy", "the system is busy; try again in a moment")
	ErrPartAbsent  = fault.New(fault.Unavailable, "part.absent", "this part of the system is not switched on: {part}")
)

// Gate tells who holds a session and keeps the audit trail; access.Gate is one.
type Gate interface {
	// Who returns access.ErrNoSession for a token that opens nothing.
	Who(ctx context.Context, token string) (access.Actor, error)
	Record(ctx context.Context, who access.Actor, action, object, result string) error
}

// Config is what the frame needs. Roles maps each operation id to the roles that
// may call it.
type Config struct {
	Mux     *http.ServeMux
	Gate    Gate
	Roles   map[string][]access.Role
	Words   *message.Catalogue
	Log     *slog.Logger
	Observe func(operation string, status int, took time.Duration)
}

// API takes operations.
type API struct {
	cfg  Config
	huma huma.API
	ops  []Op
}

// Op describes an operation.
type Op struct {
	ID       string // kebab case; the audit trail and the table of roles know it by this name
	Method   string
	Path     string // below Prefix, with {wildcards} for whole segments
	Summary  string
	Tag      string
	MaxBytes int64 // of the body; 0 means MaxJSON
	Status   int   // of success; 0 means 200
	Raw      bool  // the operation reads the JSON of the body itself, because the bytes are signed
}

// call travels with a request through its operation.
type call struct {
	actor    access.Actor
	op       string
	object   string
	recorded bool
}

type callKey struct{}

// Touch names the object that the running operation made or changed, for the audit
// trail. Without it the trail names the {id} of the path.
func Touch(ctx context.Context, object string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.object = object
	}
}

// Recorded tells that the running operation writes its line of the audit trail itself,
// in one transaction with what it keeps, and gives the action that the line names. An
// operation that is denied gets its line all the same.
func Recorded(ctx context.Context) (action string) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return ""
	}
	c.recorded = true
	return c.op
}

// New makes an API that serves on cfg.Mux.
func New(cfg Config) *API {
	config := huma.DefaultConfig("Furrow", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaNames())
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"cookie": {Type: "apiKey", In: "cookie", Name: Cookie},
		"bearer": {Type: "http", Scheme: "bearer"},
	}
	a := &API{cfg: cfg}
	config.Transformers = []huma.Transformer{a.translate}
	a.huma = humago.NewWithPrefix(cfg.Mux, Prefix, config)
	a.huma.UseMiddleware(a.guard)
	return a
}

// Register adds an operation. h gets who asks; an error of h becomes a problem. It panics
// when I embeds a type that is not exported: the framework would leave its fields empty.
func Register[I, O any](a *API, op Op, h func(ctx context.Context, who access.Actor, in *I) (*O, error)) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[I]()) {
		if f.Anonymous && !f.IsExported() {
			panic("route: " + op.ID + " embeds " + f.Name + ", which would not be read")
		}
	}
	if op.MaxBytes == 0 {
		op.MaxBytes = MaxJSON
	}
	a.ops = append(a.ops, op)
	o := huma.Operation{
		OperationID:   op.ID,
		Method:        op.Method,
		Path:          op.Path,
		Summary:       op.Summary,
		Tags:          []string{op.Tag},
		DefaultStatus: op.Status,
		// One byte more than is taken: the framework refuses what reaches its limit.
		MaxBodyBytes:     op.MaxBytes + 1,
		SkipValidateBody: op.Raw,
		// A large file may come over a line of one MiB a second.
		BodyReadTimeout: time.Minute + time.Duration(op.MaxBytes>>20)*time.Second,
		Responses:       map[string]*huma.Response{"default": a.problemResponse()},
	}
	if slices.Contains(a.cfg.Roles[op.ID], Anyone) {
		o.Security = []map[string][]string{}
	} else {
		o.Security = []map[string][]string{{"cookie": {}}, {"bearer": {}}}
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		c, _ := ctx.Value(callKey{}).(*call)
		out, err := h(ctx, c.actor, in)
		if err == nil && !c.recorded {
			// Before the answer goes out: no change is reported done without its line.
			err = a.audit(ctx, op, c, "done")
		} else if errors.Is(err, fault.Forbidden) {
			err = errors.Join(err, a.audit(ctx, op, c, "denied"))
		}
		if err != nil {
			return nil, a.Problem(ctx, err)
		}
		return out, nil
	})
}

// Handle adds an operation that speaks no JSON, such as a WebSocket. It stands in the
// table of roles like every other one.
func (a *API) Handle(op Op, h func(w http.ResponseWriter, r *http.Request, who access.Actor)) {
	a.ops = append(a.ops, op)
	a.cfg.Mux.HandleFunc(op.Method+" "+Prefix+op.Path, func(w http.ResponseWriter, r *http.Request) {
		who, err := a.Who(r)
		if err == nil && !slices.Contains(a.cfg.Roles[op.ID], who.Role) {
			err = access.ErrRole
		}
		if err != nil {
			a.Write(w, r, err)
			return
		}
		note(r.Context(), who)
		h(w, r, who)
	})
}

// Body is the output of an operation that answers with JSON.
type Body[T any] struct {
	Body T
}

// Answer wraps v as the output of an operation.
func Answer[T any](v T, err error) (*Body[T], error) {
	if err != nil {
		return nil, err
	}
	return &Body[T]{v}, nil
}

// List is a page of things; Next goes into the query of the next page and is empty
// on the last one.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// Page wraps items as a page: when as many came as were asked for, the id of the
// last is the cursor of the next page. A limit of 0 means that all are here.
func Page[T any](items []T, err error, limit int, id func(T) string) (*Body[List[T]], error) {
	if err != nil {
		return nil, err
	}
	l := List[T]{Items: items}
	if limit > 0 && len(items) >= limit {
		l.Next = id(items[len(items)-1])
	}
	return &Body[List[T]]{l}, nil
}

// Check returns an error when the table of roles and the registered operations do
// not cover each other.
func (a *API) Check() error {
	known := map[string]bool{}
	for _, op := range a.ops {
		known[op.ID] = true
		if len(a.cfg.Roles[op.ID]) == 0 {
			return fmt.Errorf("operation %s is not in the table of roles", op.ID)
		}
	}
	for id := range a.cfg.Roles {
		if !known[id] {
			return fmt.Errorf("the table of roles names %s, which is no operation", id)
		}
	}
	return nil
}

// Ops returns the registered operations.
func (a *API) Ops() []Op { return a.ops }

// Who returns the holder of the session that r carries, as cookie or bearer token.
func (a *API) Who(r *http.Request) (access.Actor, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if c, err := r.Cookie(Cookie); err == nil {
			token = c.Value
		}
	}
	if token == "" {
		return access.Actor{}, access.ErrNoSession
	}
	return a.cfg.Gate.Who(r.Context(), token)
}

// guard stands before every operation: it bounds the body, finds who asks and
// holds the table of roles over them.
func (a *API) guard(hc huma.Context, next func(huma.Context)) {
	began := time.Now()
	op := hc.Operation()
	r, w := humago.Unwrap(hc)
	c := &call{op: op.OperationID, object: hc.Param("id")}
	bounded, cancel := context.WithTimeout(context.WithValue(hc.Context(), callKey{}, c), maxTime)
	defer cancel()
	ctx := &guarded{inner: huma.WithContext(hc, bounded)}
	defer func() {
		if r.MultipartForm != nil { // its parts may lie in temporary files
			_ = r.MultipartForm.RemoveAll()
		}
		if a.cfg.Observe != nil {
			a.cfg.Observe(op.OperationID, ctx.Status(), time.Since(began))
		}
	}()
	limit := op.MaxBodyBytes - 1
	if limit < 0 {
		limit = MaxJSON
	}
	roles := a.cfg.Roles[op.OperationID]
	if !slices.Contains(roles, Anyone) {
		actor, err := a.Who(r)
		if err != nil {
			a.refuse(ctx, err)
			return
		}
		c.actor = actor
		note(r.Context(), actor)
		if !slices.Contains(roles, actor.Role) {
			err := a.audit(ctx.Context(), Op{ID: op.OperationID, Method: op.Method}, c, "denied")
			a.refuse(ctx, errors.Join(access.ErrRole, err))
			return
		}
	}
	if r.ContentLength > limit {
		a.refuse(ctx, ErrTooLarge.With("limit", limit>>20))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	next(ctx)
}

type inner huma.Context

// guarded lets the translation of an answer correct its status, and forgets none.
type guarded struct {
	inner
	override int
	status   int
}

// Unwrap lets the adapter find its own context.
func (g *guarded) Unwrap() huma.Context { return g.inner }

// SetStatus sends the status, or the one that replaces it.
func (g *guarded) SetStatus(code int) {
	if g.override != 0 {
		code = g.override
	}
	g.status = code
	g.inner.SetStatus(code)
}

// Status returns what was sent.
func (g *guarded) Status() int { return g.status }

func (a *API) refuse(ctx *guarded, err error) {
	p := a.Problem(ctx.Context(), err)
	if p.retryAfter != "" {
		ctx.SetHeader("Retry-After", p.retryAfter)
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	_ = jsonFormat.Marshal(ctx.BodyWriter(), p) // nobody is left to tell
}

// audit writes the line of an unsafe operation; what nobody signed in for is
// written by the gate itself.
func (a *API) audit(ctx context.Context, op Op, c *call, result string) error {
	if Safe(op.Method) || c.actor.UserID == "" {
		return nil
	}
	// A caller who hangs up does not take the line with them.
	ctx = context.WithoutCancel(ctx)
	if err := a.cfg.Gate.Record(ctx, c.actor, op.ID, c.object, result); err != nil {
		return fmt.Errorf("audit %s: %w", op.ID, err)
	}
	return nil
}

// Safe tells whether a method changes nothing.
func Safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
