// Package watch keeps the alerts on what was lent for: it opens each matter once,
// updates it, and closes it by itself or by a person.
package watch

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// ErrNotFound is returned when the tenant has no such alert.
var ErrNotFound = fault.New(fault.NotFound, "alert.not_found", "there is no such alert")

// Alert is one open or closed matter.
type Alert struct {
	ID          string            `json:"id"`
	Tenant      string            `json:"-"`
	Kind        string            `json:"kind"`         // "fence_exit", "flood", "invoice_reused", ...
	Severity    string            `json:"severity"`     // "info", "warning", "critical"
	SubjectKind string            `json:"subject_kind"` // "plot", "herd", "firm", "loan"; "house" of its own parts
	SubjectID   string            `json:"subject_id"`
	Item        string            `json:"item,omitempty"` // which animal, gateway or document set of the subject
	Label       string            `json:"label"`          // what a person calls it
	LoanID      string            `json:"loan_id,omitempty"`
	Evidence    map[string]string `json:"evidence"`
	Count       int               `json:"count"`    // times seen while open
	EventAt     time.Time         `json:"event_at"` // time of the first evidence
	OpenedAt    time.Time         `json:"opened_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	ClosedAt    *time.Time        `json:"closed_at,omitempty"`
	ClosedBy    string            `json:"closed_by,omitempty"` // user id, or "system"
	Cause       string            `json:"cause,omitempty"`     // why it was closed
}

// Filter selects alerts, newest first; zero fields do not restrict.
type Filter struct {
	Open      bool
	SubjectID string
	Kind      string
	Before    string
	Limit     int // 0 means 50; at most 500
}

// Store keeps alerts. Implemented in store/alert.
type Store interface {
	// Raise opens a, or updates the open alert of the same kind, subject and item;
	// opened says which.
	Raise(ctx context.Context, a Alert) (saved Alert, opened bool, err error)
	// RaiseAll raises alerts of different matters, all or none.
	RaiseAll(ctx context.Context, list []Alert) (saved []Alert, opened []bool, err error)
	// Clear closes the open alert of that kind, subject and item, if there is one.
	Clear(ctx context.Context, tenant, kind, subjectID, item string, at time.Time, by, cause string) (closed Alert, ok bool, err error)
	// Close closes by id; ErrNotFound, ErrClosed.
	Close(ctx context.Context, tenant, id string, at time.Time, by, cause string) (Alert, error)
	Alerts(ctx context.Context, tenant string, f Filter) ([]Alert, error)
	CountOpen(ctx context.Context, tenant string) (map[string]int, error) // by severity
}

// Notifier is told of every change after it is saved; it must not block.
type Notifier interface {
	AlertChanged(a Alert)
}

// Clock tells the time; tests pass their own.
type Clock func() time.Time

// Desk is where alerts come in and go out.
type Desk struct {
	Store  Store
	Notify Notifier // nil tells nobody
	// Moved is told of alerts that opened or closed, after they are saved; nil tells nobody.
	Moved func(ctx context.Context, a Alert)
	Now   Clock
	// LoanOf finds the open loan that stands on a subject, or "". nil leaves Alert.LoanID.
	LoanOf func(ctx context.Context, tenant, subjectID string) (string, error)
	// FirmNames returns the names of firms by id; nil leaves alerts on findings without.
	FirmNames func(ctx context.Context, tenant string, ids []string) (map[string]string, error)
}
