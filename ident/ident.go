// Package ident makes the identifiers of records: UUIDv7 text, so that keys
// sort by creation and are made in Go, never by a database; and hashes of what they name.
package ident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// New returns a UUIDv7 as text. It panics only when the system has no randomness.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Hash is the SHA-256, in hex, of the JSON of v: what seals an event, and what tells
// whether a key came back with the same input. The error is that of [json.Marshal].
func Hash(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// At is not after any id that New makes from a moment on, and after all that it made in
// the milliseconds before.
func At(t time.Time) string {
	ms := max(t.UnixMilli(), 0)
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff)
}
