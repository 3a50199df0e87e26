// Package ident makes the identifiers of records: UUIDv7 text, so that keys
// sort by creation and are made in Go, never by a database.
package ident

import "github.com/google/uuid"

// New returns a UUIDv7 as text. It panics only when the system has no randomness.
func New() string { return uuid.Must(uuid.NewV7()).String() }
