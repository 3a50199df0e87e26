// Package fault is the error vocabulary that every room shares: five kinds,
// and one error type that carries a stable code, the place of the mistake and
// a message that tells the person what to do.
//
// Domains declare sentinels with [New] and wrap them with %w; callers test with
// errors.Is against a sentinel or a kind, never with == or by text.
package fault

import (
	"errors"
	"fmt"
)

// The kinds. Every error that a person may see wraps exactly one; an error
// without a kind is internal and is shown only as such, with the request id.
var (
	Invalid      = errors.New("invalid")      // the input is wrong; the caller can mend it
	NotFound     = errors.New("not found")    // no such thing, or not in this tenant
	Conflict     = errors.New("conflict")     // it clashes with what is already there
	Forbidden    = errors.New("forbidden")    // signed in, but may not do this
	Unauthorized = errors.New("unauthorized") // not signed in, or wrong credentials
	Unavailable  = errors.New("unavailable")  // try again later: a part is down or busy
	TooLarge     = errors.New("too large")    // more bytes than are taken at once
	TooMany      = errors.New("too many")     // slow down: a rate or attempt limit
)

var kinds = []error{Invalid, NotFound, Conflict, Forbidden, Unauthorized, Unavailable, TooLarge, TooMany}

// Error is a failure that a person can act on.
type Error struct {
	Kind  error             // one of the kinds above
	Code  string            // stable, dotted, lower case: "plot.self_crossing"; the key of its translations
	Msg   string            // English, says what to do
	Place string            // where: "body.polygon", "row 3, column amount", "F.csv:12:4"; may be empty
	Args  map[string]string // values for the translated message, by name
	cause error
}

// New makes a sentinel of kind with code and an English message.
func New(kind error, code, msg string) *Error {
	return &Error{Kind: kind, Code: code, Msg: msg}
}

// Error gives the place, the message and the cause, in English.
func (e *Error) Error() string {
	s := e.Msg
	if e.Place != "" {
		s = e.Place + ": " + s
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap exposes the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.cause != nil {
		return []error{e.Kind, e.cause}
	}
	return []error{e.Kind}
}

// Is makes every derived copy equal to its sentinel: codes name errors.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// At returns a copy of e that names a place.
func (e *Error) At(format string, args ...any) *Error {
	c := *e
	c.Place = fmt.Sprintf(format, args...)
	return &c
}

// With returns a copy of e in which {name} of the message stands for value.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Args = make(map[string]string, len(e.Args)+1)
	for k, v := range e.Args {
		c.Args[k] = v
	}
	c.Args[name] = fmt.Sprint(value)
	c.Msg = fill(e.Msg, name, c.Args[name])
	return &c
}

// Because returns a copy of e that wraps cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Kind returns the kind of err, or nil when err is internal.
func Kind(err error) error {
	for _, k := range kinds {
		if errors.Is(err, k) {
			return k
		}
	}
	return nil
}
