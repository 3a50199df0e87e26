// Package profile keeps what the bank knows of a borrower besides crops, herds and trade:
// who they are, what a credit bureau and their accounts tell of them, as it was uploaded,
// and how much is lent around them.
package profile

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Kind of an uploaded history.
type Kind string

// Kinds.
const (
	Bureau Kind = "bureau" // a report of a credit bureau
	Bank   Kind = "bank"   // months of accounts
)

// Version of how histories are read; it stands in the sources of the evidence.
const Version = "1"

// What can be wrong with profiles.
var (
	ErrNotFound = fault.New(fault.NotFound, "borrower.not_found", "nothing is known of this borrower yet")
	ErrAbsent   = fault.New(fault.NotFound, "borrower.absent", "no such history of this borrower was uploaded")
	ErrField    = fault.New(fault.Invalid, "borrower.field", "{field}: {why}")
	ErrFile     = fault.New(fault.Invalid, "borrower.file", "the table needs the columns {columns} in its header")
	ErrConsent  = fault.New(fault.Forbidden, "borrower.no_consent", "the borrower has not agreed that {part} is read; have the words agreed to first, then upload it")
	ErrKind     = fault.New(fault.Invalid, "borrower.kind", "the kind must be bureau or bank")
)

// Borrower is who borrows.
type Borrower struct {
	UserID    string    `json:"user_id"`
	Kind      string    `json:"kind" enum:"person,firm"`
	BirthYear int       `json:"birth_year,omitempty"` // 0 is not known, and of a firm
	Region    string    `json:"region,omitempty"`     // county, six digits of GB/T 2260
	Industry  string    `json:"industry,omitempty"`   // GB/T 4754
	Household string    `json:"household,omitempty"`  // who share a purse have the same
	Group     string    `json:"group,omitempty"`      // who stand for each other have the same
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
}

// History is one upload for one borrower: Bureau or Bank is there, as Kind says.
type History struct {
	ID       string    `json:"id"`
	UserID   string    `json:"user_id"`
	Kind     Kind      `json:"kind" enum:"bureau,bank"`
	At       time.Time `json:"at"` // of the report; end of the statement
	SavedAt  time.Time `json:"saved_at"`
	By       string    `json:"by"`        // user id of who uploaded it
	File     string    `json:"file"`      // its name; "" of one that came over the API
	FileHash string    `json:"file_hash"` // SHA-256, hex; of the content when there is no file
	Hash     string    `json:"hash"`      // SHA-256 of the content in JSON, hex
	// Purpose and ConsentID are those of the consent under which it is kept; "" of uploads
	// before consents were asked for.
	Purpose   string         `json:"purpose"`
	ConsentID string         `json:"consent_id"`
	Bureau    *credit.Bureau `json:"bureau,omitempty"`
	Bank      *credit.Bank   `json:"bank,omitempty"`
}

// Uploads are what was uploaded of one borrower.
type Uploads struct {
	UserID string        `json:"user_id"`
	Kinds  []UploadsKind `json:"kinds"`
}

// UploadsKind is one kind of them.
type UploadsKind struct {
	Kind    Kind      `json:"kind" enum:"bureau,bank"`
	Count   int       `json:"count"`
	Newest  time.Time `json:"newest"`   // of the report; end of the statement
	SavedAt time.Time `json:"saved_at"` // of the last upload
}

// Around says whose exposures are asked.
type Around struct {
	UserID, Household, Group, AnchorID, Product, Region string
	// Except is an application whose own part is left out.
	Except string
}

// Seen is what a decision on an application tells of how its limit counts.
type Seen struct {
	AnchorID  string // nearest anchor of the evidence, "" for none
	Revolving bool   // the limit is drawn again and again
}

// Store keeps profiles. Implemented in store/profile.
type Store interface {
	// Borrower returns ErrNotFound.
	Borrower(ctx context.Context, tenant, userID string) (Borrower, error)
	// SetBorrower replaces a profile, and moves what is lent to the borrower along.
	SetBorrower(ctx context.Context, tenant string, b Borrower) error
	// AddHistories saves all or none. One whose content is there already is not saved
	// again; the answer has what is kept.
	AddHistories(ctx context.Context, tenant string, all []History) ([]History, error)
	// Newest is the history with the latest At, of those the last saved; ErrAbsent.
	Newest(ctx context.Context, tenant, userID string, k Kind) (History, error)
	// Histories are the newest first, without end.
	Histories(ctx context.Context, tenant, userID string) ([]History, error)
	// Uploads tells of at most limit borrowers after one what was uploaded of them, by id.
	Uploads(ctx context.Context, tenant, after string, limit int) ([]Uploads, error)
	// Exposure sums loans outstanding and credit granted. It reads sums that are kept with
	// every loan, so it does not grow with their number.
	Exposure(ctx context.Context, tenant string, a Around) (credit.Exposures, error)
}

// Consents tells what borrowers agreed to; consent.Book is one.
type Consents interface {
	Standing(ctx context.Context, tenant, userID, purpose string) ([]credit.Consent, error)
}

// Book takes what officers state and upload.
type Book struct {
	Store
	Consents Consents
	Now      func() time.Time
	// Changed is told of whom something new is kept; nil tells nobody.
	Changed func(ctx context.Context, tenant string, userIDs []string)
}

func (b *Book) changed(ctx context.Context, tenant string, userIDs ...string) {
	if b.Changed != nil && len(userIDs) > 0 {
		b.Changed(ctx, tenant, userIDs)
	}
}

// purposes for which histories are kept, in the order in which consents are looked for.
var purposes = []string{"credit_decision", "post_loan"}

// agree notes the consent under which a history is kept; ErrConsent without any. Nothing
// is kept before this.
func (b *Book) agree(ctx context.Context, tenant string, h *History) error {
	for _, purpose := range purposes {
		stand, err := b.Consents.Standing(ctx, tenant, h.UserID, purpose)
		if err != nil {
			return err
		}
		for _, c := range stand {
			if c.Part == string(h.Kind) {
				h.Purpose, h.ConsentID = purpose, c.ID
				return nil
			}
		}
	}
	return ErrConsent.With("part", h.Kind)
}

func (b *Book) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }

var (
	regionForm   = regexp.MustCompile(`^[1-9][0-9]{5}$`)
	industryForm = regexp.MustCompile(`^[A-T][0-9]{0,4}$`)
)

// Set replaces the profile of a borrower; ErrField.
func (b *Book) Set(ctx context.Context, tenant, by string, p Borrower) (Borrower, error) {
	now := b.now()
	p.Household, p.Group = strings.TrimSpace(p.Household), strings.TrimSpace(p.Group)
	bad := func(field, why string) error {
		return ErrField.At("body.%s", field).With("field", field).With("why", why)
	}
	switch {
	case p.Kind != "person" && p.Kind != "firm":
		return p, bad("kind", "write person or firm")
	case p.BirthYear != 0 && (p.BirthYear < now.Year()-120 || p.BirthYear > now.Year()-14):
		return p, bad("birth_year", "write a year, of a person of 14 or more")
	case p.Kind == "firm" && p.BirthYear != 0:
		return p, bad("birth_year", "a firm has none")
	case p.Region != "" && !regionForm.MatchString(p.Region):
		return p, bad("region", "write the six digits of the county")
	case p.Industry != "" && !industryForm.MatchString(p.Industry):
		return p, bad("industry", "write a letter and up to four digits, such as A0111")
	case utf8.RuneCountInString(p.Household) > 64 || utf8.RuneCountInString(p.Group) > 64:
		return p, bad("household", "write at most 64 characters")
	}
	p.UpdatedAt, p.UpdatedBy = now, by
	if err := b.SetBorrower(ctx, tenant, p); err != nil {
		return p, err
	}
	b.changed(ctx, tenant, p.UserID)
	return p, nil
}

// AddBureau saves a bureau's report; ErrField, ErrConsent.
func (b *Book) AddBureau(ctx context.Context, tenant, by, userID string, r credit.Bureau) (History, error) {
	return b.addOne(ctx, tenant, History{UserID: userID, Kind: Bureau, By: by, At: r.At, Bureau: &r})
}

// AddBank saves months of accounts; ErrField, ErrConsent.
func (b *Book) AddBank(ctx context.Context, tenant, by, userID string, r credit.Bank) (History, error) {
	return b.addOne(ctx, tenant, History{UserID: userID, Kind: Bank, By: by, At: r.At, Bank: &r})
}

func (b *Book) addOne(ctx context.Context, tenant string, h History) (History, error) {
	if err := b.agree(ctx, tenant, &h); err != nil {
		return History{}, err
	}
	if err := b.check(&h); err != nil {
		return History{}, err
	}
	if err := b.stamp(&h); err != nil {
		return History{}, err
	}
	h.FileHash = h.Hash
	saved, err := b.AddHistories(ctx, tenant, []History{h})
	if err != nil {
		return History{}, err
	}
	if saved[0].ID == h.ID {
		b.changed(ctx, tenant, h.UserID)
	}
	return saved[0], nil
}

// stamp gives a checked history its id, time and hash.
func (b *Book) stamp(h *History) error {
	var content any = h.Bureau
	if h.Kind == Bank {
		content = h.Bank
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	h.ID, h.SavedAt, h.Hash = ident.New(), b.now(), credit.Hash(text)
	return nil
}

// check also puts months in order and times in UTC.
func (b *Book) check(h *History) error {
	h.At = h.At.UTC().Truncate(time.Millisecond)
	if h.At.After(b.now().AddDate(0, 0, 1)) || h.At.Year() < 1990 {
		return ErrField.At("body.at").With("field", "at").With("why", "give the day of the report, which is not in the future")
	}
	if h.Kind == Bureau {
		h.Bureau.At = h.At
		return checkBureau(*h.Bureau)
	}
	h.Bank.At = h.At
	return checkBank(h.Bank)
}

// most is the largest amount that one figure may have: 10 billion yuan. Sums of five
// years of them stay far below what an integer holds.
const most money.Fen = 1e12

func checkBureau(r credit.Bureau) error {
	bad := func(field, why string) error {
		return ErrField.At("body.%s", field).With("field", field).With("why", why)
	}
	for field, v := range map[string]money.Fen{
		"balance": r.Balance, "monthly_due": r.MonthlyDue, "card_limit": r.CardLimit, "card_used": r.CardUsed,
		"guaranteed": r.Guaranteed, "overdue_now": r.OverdueNow,
	} {
		if v < 0 || v > most {
			return bad(field, "write an amount from 0 to 10 billion yuan")
		}
	}
	for field, v := range map[string][2]int{
		"lenders": {r.Lenders, 1000}, "open_loans": {r.OpenLoans, 10_000}, "worst_overdue_days": {r.WorstOverdueDays, 3660},
		"overdue_months": {r.OverdueMonths, 24}, "queries_6m": {r.Queries6m, 10_000}, "oldest_months": {r.OldestMonths, 1200},
		"judgments": {r.Judgments, 10_000},
	} {
		if v[0] < 0 || v[0] > v[1] {
			return bad(field, fmt.Sprintf("write a whole number from 0 to %d", v[1]))
		}
	}
	return nil
}

// longest is how many months of accounts are taken.
const longest = 60

func checkBank(r *credit.Bank) error {
	bad := func(i int, field, why string) error {
		return ErrField.At("body.months[%d].%s", i, field).With("field", field).With("why", why)
	}
	if len(r.Months) == 0 || len(r.Months) > longest {
		return ErrField.At("body.months").With("field", "months").With("why", fmt.Sprintf("give 1 to %d months", longest))
	}
	last := r.At.Format("2006-01")
	seen := map[string]bool{}
	for i, m := range r.Months {
		if _, err := time.Parse("2006-01", m.Month); err != nil || m.Month > last {
			return bad(i, "month", "write a month such as 2026-05, none after the end of the statement")
		}
		if seen[m.Month] {
			return bad(i, "month", "the month stands twice")
		}
		seen[m.Month] = true
		switch {
		case m.In < 0 || m.In > most:
			return bad(i, "in", "write an amount from 0 to 10 billion yuan")
		case m.Out < 0 || m.Out > most:
			return bad(i, "out", "write an amount from 0 to 10 billion yuan")
		case m.Low < -most || m.Low > most:
			return bad(i, "low", "write an amount up to 10 billion yuan")
		case m.Returned < 0 || m.Returned > 1000:
			return bad(i, "returned", "write a whole number from 0 to 1000")
		}
	}
	r.Months = slices.Clone(r.Months)
	slices.SortFunc(r.Months, func(a, b credit.BankMonth) int { return strings.Compare(a.Month, b.Month) })
	return nil
}
