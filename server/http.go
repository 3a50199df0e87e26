package server

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/server/route"
)

// outer is what every request passes first: its id and language, the log line, the
// headers that protect the browser, the check for foreign sites, and compression.
func (s *Server) outer(mux http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.api.Write(w, r, route.ErrCrossOrigin)
	}))
	inner := foreign.Handler(compressed(mux))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.deps.Now()
		req := &route.Request{ID: ident.New(), Lang: s.words.Language(r.Header.Get("Accept-Language"))}
		r = r.WithContext(route.WithRequest(r.Context(), req))
		rec := &recorder{ResponseWriter: w}
		s.protect(rec.Header(), r)
		rec.Header().Set("X-Request-Id", req.ID)
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
					panic(p)
				}
				s.deps.Log.ErrorContext(r.Context(), "panic", "request_id", req.ID, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.api.WriteInternal(rec, r)
				}
			}
			s.deps.Log.InfoContext(r.Context(), "request", "request_id", req.ID, "method", r.Method, "path", r.URL.Path,
				"status", rec.status, "ms", s.deps.Now().Sub(began).Milliseconds(), "bytes", rec.bytes,
				"user", req.Actor.UserID, "tenant", req.Actor.Tenant)
		}()
		inner.ServeHTTP(rec, r)
	})
}

// policy lets pages load from the house only. Styles may stand in the page because
// antd writes them there; workers may be blobs because the map makes one.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; " +
	"manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (s *Server) protect(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "geolocation=(self), camera=(self), microphone=()")
	if s.deps.TLS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if strings.HasPrefix(r.URL.Path, route.Prefix) {
		h.Set("Cache-Control", "no-store")
	}
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack hands the connection to the WebSocket.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// compressed gzips text for readers who take it.
func compressed(next http.Handler) http.Handler {
	pool := &sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Header.Get("Upgrade") != "" || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipper{ResponseWriter: w, pool: pool}
		defer z.close()
		next.ServeHTTP(z, r)
	})
}

// zipper decides with the first byte, when the content type is known.
type zipper struct {
	http.ResponseWriter
	pool    *sync.Pool
	gz      *gzip.Writer
	decided bool
}

func (z *zipper) WriteHeader(code int) {
	z.decide(code)
	z.ResponseWriter.WriteHeader(code)
}

func (z *zipper) decide(code int) {
	if z.decided {
		return
	}
	z.decided = true
	h := z.Header()
	if code == http.StatusNoContent || code == http.StatusNotModified || code < 200 || h.Get("Content-Encoding") != "" || !isText(h.Get("Content-Type")) {
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Add("Vary", "Accept-Encoding")
	h.Del("Content-Length")
	z.gz, _ = z.pool.Get().(*gzip.Writer)
	z.gz.Reset(z.ResponseWriter)
}

func isText(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || t == "image/svg+xml"
}

func (z *zipper) Write(b []byte) (int, error) {
	z.decide(http.StatusOK)
	if z.gz != nil {
		return z.gz.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (z *zipper) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipper) close() {
	if z.gz == nil {
		return
	}
	_ = z.gz.Close() // the reader may have left
	z.gz.Reset(nil)
	z.pool.Put(z.gz)
}

// registerHouse adds what is no operation: health, metrics, the faces, and clear
// answers for addresses that do not exist.
func (s *Server) registerHouse(mux *http.ServeMux, faces http.Handler) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		if s.deps.Ready != nil {
			if err := s.deps.Ready(ctx); err != nil {
				s.deps.Log.WarnContext(ctx, "not ready", "error", err)
				plain(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
				return
			}
		}
		plain(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", metricsHandler(s.deps.Registry))
	mux.HandleFunc("/api/", s.nowhere(mux))
	mux.Handle("/", faces)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // the reader may have left
}

// nowhere answers for an address of the API that does not exist, or not with this
// method.
func (s *Server) nowhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allow []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if _, pattern := mux.Handler(&http.Request{Method: m, URL: r.URL, Host: r.Host}); strings.HasPrefix(pattern, m+" ") {
				allow = append(allow, m)
			}
		}
		if len(allow) > 0 {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			s.api.WriteStatus(w, r, route.ErrMethod, http.StatusMethodNotAllowed)
			return
		}
		s.api.Write(w, r, route.ErrNotFound)
	}
}
