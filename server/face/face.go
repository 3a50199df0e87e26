// Package face serves the web pages: single-page applications, one folder each.
package face

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Names are the faces, by the first element of their path.
func Names() []string { return []string{"officer", "farmer", "anchor"} }

// Handler serves the faces of a folder of builds under /officer/, /farmer/ and
// /anchor/. A path without a file extension is a page of the application and gets
// its index.html. Files under assets/ have the hash of their content in their name
// and are cached for ever; all others are asked for each time.
type Handler struct {
	files  fs.FS
	etags  map[string]string
	absent http.Handler
}

// New reads the hashes of all files. Absent answers for a face that is not built.
func New(files fs.FS, absent http.Handler) (*Handler, error) {
	h := &Handler{files: files, etags: map[string]string{}, absent: absent}
	if files == nil {
		return h, nil
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		h.etags[name] = `"` + hex.EncodeToString(sum[:12]) + `"`
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web faces: %w", err)
	}
	return h, nil
}

// ServeHTTP serves a file of a face, or its index.html.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	face, _, _ := strings.Cut(name, "/")
	index := face + "/index.html"
	if _, ok := h.etags[index]; !ok {
		h.absent.ServeHTTP(w, r)
		return
	}
	if name == face || path.Ext(name) == "" {
		name = index
	}
	h.file(w, r, name, strings.HasPrefix(name, face+"/assets/"))
}

func (h *Handler) file(w http.ResponseWriter, r *http.Request, name string, forever bool) {
	etag, ok := h.etags[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	cache := "no-cache"
	if forever {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("ETag", etag)
	if etag == r.Header.Get("If-None-Match") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	b, err := fs.ReadFile(h.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(b) // the reader may have left
	}
}

// contentType does not depend on the mime files of the machine for what matters.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".png":
		return "image/png"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
