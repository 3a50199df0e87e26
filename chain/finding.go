package chain

import (
	"context"
	"time"
)

// FindingKind names a fraud pattern.
type FindingKind string

// Findings.
const (
	InvoiceReused    FindingKind = "invoice_reused"    // one invoice serves twice
	InvoiceWithdrawn FindingKind = "invoice_withdrawn" // promised to a funder and cancelled or taken back
	CircularTrade    FindingKind = "circular_trade"    // goods are sold in a circle
	CashReturned     FindingKind = "cash_returned"     // a payment comes back to who made it
	RelatedParties   FindingKind = "related_parties"   // one hand on both sides of the trade
	OverCapacity     FindingKind = "over_capacity"     // more invoices than the firm can have sold
	UnmatchedFlow    FindingKind = "unmatched_flow"    // documents of one trade do not match
)

// Severities of a finding. Critical ones make an invoice worthless; warnings ask
// a person to look.
const (
	Critical = "critical"
	Warning  = "warning"
)

// Finding is a pattern with the documents that show it. Evidence holds the figures
// behind it by name; docs/formats/flow.md lists them.
type Finding struct {
	Kind      FindingKind       `json:"kind"`
	Severity  string            `json:"severity"`
	FirmIDs   []string          `json:"firm_ids"`
	Documents []Document        `json:"documents"`
	Evidence  map[string]string `json:"evidence"`
}

// Fingerprint is the salted hash of an invoice that somebody was promised. It tells
// nothing about the invoice to who does not have it.
type Fingerprint struct {
	Hash      string    `json:"hash"`      // 64 hex digits, made by fraud.Fingerprint
	Publisher string    `json:"publisher"` // the bank or funder that holds the promise
	Published time.Time `json:"published"`
}

// FingerprintStore keeps the fingerprints that funders told each other. Implemented
// in store/firm.
type FingerprintStore interface {
	// SaveFingerprints adds those that are not there and returns how many that were.
	// One publisher publishes a hash once; the first date stays.
	SaveFingerprints(ctx context.Context, tenant string, f []Fingerprint) (added int, err error)
	// Fingerprints returns what is published under any of the hashes, by hash and publisher.
	Fingerprints(ctx context.Context, tenant string, hashes []string) ([]Fingerprint, error)
}
