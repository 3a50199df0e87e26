// Package consent keeps what a person agreed to: that a part of the evidence is read, for
// a purpose, in the very words that were shown. Nothing of it is ever changed; taking a
// consent back is one more line of its history.
package consent

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// Purposes.
const (
	CreditDecision = "credit_decision" // deciding on an application
	PostLoan       = "post_loan"       // looking after a loan: newer uploads than the contract
)

// Decision is the part that stands for deciding at all; without it nothing is read.
const Decision = "decision"

// What can be wrong with consents.
var (
	ErrFile    = fault.New(fault.Invalid, "consent.file", "the text of consent is wrong: {why}")
	ErrMissing = fault.New(fault.Invalid, "consent.missing", "nothing is decided without the borrower's consent; have the text read and agreed to first")
	ErrUnknown = fault.New(fault.Invalid, "consent.unknown", "no consent is asked for the part {part}")
	ErrText    = fault.New(fault.Conflict, "consent.text", "the words of the consent on {part} are not those of now; show the new ones and ask again")
	ErrProof   = fault.New(fault.Invalid, "consent.proof", "say by which signed paper or recording the borrower agreed to {part}, and when")
	ErrTime    = fault.New(fault.Invalid, "consent.time", "a consent cannot be given in the future or more than {days} days ago")
	ErrNone    = fault.New(fault.NotFound, "consent.none", "there is no such consent that stands")
)

// OldDays is how long ago a consent that somebody else brings may have been given.
const OldDays = 30

// Kind of an event.
type Kind string

// Kinds.
const (
	Given     Kind = "given"
	Withdrawn Kind = "withdrawn"
)

// Act is one line of a person's history.
type Act struct {
	ID      string `json:"id"`
	UserID  string `json:"user_id"`
	Kind    Kind   `json:"kind" enum:"given,withdrawn"`
	Purpose string `json:"purpose"`
	Part    string `json:"part"`
	Text    string `json:"text"`    // SHA-256 of the words, hex
	Version string `json:"version"` // of the words
	// At is when the person said so; SavedAt when it came to the house.
	At      time.Time `json:"at"`
	SavedAt time.Time `json:"saved_at"`
	Channel string    `json:"channel"` // "phone", "counter", "api"
	Device  string    `json:"device"`  // user agent
	By      string    `json:"by"`      // user id of who brought it
	Proof   string    `json:"proof,omitempty"`
}

// Agreement is one consent as it comes with an application.
type Agreement struct {
	Part    string `json:"part" maxLength:"20" doc:"decision, crop, herd, standing, bureau or bank"`
	Text    string `json:"text" minLength:"64" maxLength:"64" doc:"SHA-256 of the words that were shown, as the catalogue gives it"`
	Purpose string `json:"purpose,omitempty" enum:"credit_decision,post_loan" doc:"credit_decision when it is left out"`
	// Proof and At are for those who bring what a borrower agreed to elsewhere.
	Proof string     `json:"proof,omitempty" maxLength:"200" doc:"number or hash of the signed paper or recording; needed when somebody else than the borrower sends it"`
	At    *time.Time `json:"at,omitempty" doc:"when the borrower agreed, when somebody else sends it"`
}

// How is the way on which answers came.
type How struct {
	Channel string
	Device  string
	By      string // user id
}

// Store keeps the history. Implemented in store/consent.
type Store interface {
	// Add appends events of one person, all or none.
	Add(ctx context.Context, tenant string, events []Act) error
	// Acts are those of a person, oldest first.
	Acts(ctx context.Context, tenant, userID string) ([]Act, error)
}

// Book takes consents and tells which stand.
type Book struct {
	Store    Store
	Wordings Wordings
	Now      func() time.Time
	// OnWithdraw forgets what was kept of a person's evidence; nil has nothing to forget.
	OnWithdraw func(ctx context.Context, tenant, userID string) error
}

// Give writes down what userID agreed to; what stands already in the same words is not
// written again. ErrUnknown, ErrText; ErrProof and ErrTime for answers that somebody else
// brings.
func (b *Book) Give(ctx context.Context, tenant, userID string, answers []Agreement, how How) error {
	if len(answers) == 0 {
		return nil
	}
	history, err := b.Store.Acts(ctx, tenant, userID)
	if err != nil {
		return err
	}
	now := b.now()
	var add []Act
	for i, a := range answers {
		purpose := cmp.Or(a.Purpose, CreditDecision)
		text, known := b.Wordings.of(purpose, a.Part)
		switch {
		case !known:
			return ErrUnknown.At("body.consents[%d].part", i).With("part", a.Part)
		case !text.says(a.Text):
			return ErrText.At("body.consents[%d].text", i).With("part", a.Part)
		}
		at := now
		if how.By != userID {
			if a.Proof == "" || a.At == nil {
				return ErrProof.At("body.consents[%d].proof", i).With("part", a.Part)
			}
			if at = a.At.UTC().Truncate(time.Millisecond); at.After(now.Add(time.Minute)) || at.Before(now.AddDate(0, 0, -OldDays)) {
				return ErrTime.At("body.consents[%d].at", i).With("days", OldDays)
			}
		}
		same := func(e Act) bool { return e.Part == a.Part && (e.Text == a.Text || e.At.After(at)) }
		if slices.ContainsFunc(standing(history, purpose), same) || withdrawnAfter(history, purpose, a.Part, at) {
			continue
		}
		add = append(add, Act{
			ID: ident.New(), UserID: userID, Kind: Given, Purpose: purpose, Part: a.Part, Text: a.Text, Version: text.Version,
			At: at, SavedAt: now, Channel: how.Channel, Device: how.Device, By: how.By, Proof: a.Proof,
		})
	}
	if len(add) == 0 {
		return nil
	}
	return b.Store.Add(ctx, tenant, add)
}

// withdrawnAfter says whether a consent of that time was taken back later: a paper that
// arrives late does not undo that.
func withdrawnAfter(history []Act, purpose, part string, at time.Time) bool {
	return slices.ContainsFunc(history, func(e Act) bool {
		return e.Kind == Withdrawn && e.Purpose == purpose && e.Part == part && e.At.After(at)
	})
}

// Withdraw takes a consent back: from now on the part is not read. ErrNone.
func (b *Book) Withdraw(ctx context.Context, tenant, userID, purpose, part string, how How) error {
	history, err := b.Store.Acts(ctx, tenant, userID)
	if err != nil {
		return err
	}
	stand := standing(history, purpose)
	i := slices.IndexFunc(stand, func(e Act) bool { return e.Part == part })
	if i < 0 {
		return ErrNone
	}
	now := b.now()
	err = b.Store.Add(ctx, tenant, []Act{{
		ID: ident.New(), UserID: userID, Kind: Withdrawn, Purpose: purpose, Part: part, Text: stand[i].Text, Version: stand[i].Version,
		At: now, SavedAt: now, Channel: how.Channel, Device: how.Device, By: how.By,
	}})
	if err != nil || b.OnWithdraw == nil {
		return err
	}
	return b.OnWithdraw(ctx, tenant, userID)
}

// Agreed says whether evidence was read with consent to decide by it.
func Agreed(ev credit.Evidence) bool {
	return slices.ContainsFunc(ev.Consents, func(c credit.Consent) bool { return c.Purpose == CreditDecision && c.Part == Decision })
}

// Ended says when the consent with an id was taken back; false while it stands, or was
// only given again in other words.
func Ended(history []Act, id string) (time.Time, bool) {
	i := slices.IndexFunc(history, func(e Act) bool { return e.ID == id && e.Kind == Given })
	if i < 0 {
		return time.Time{}, false
	}
	for _, e := range history[i+1:] {
		if e.Kind == Withdrawn && e.Purpose == history[i].Purpose && e.Part == history[i].Part {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// Open says whether a part may be read for any purpose now.
func Open(history []Act, part string) bool {
	return slices.ContainsFunc([]string{CreditDecision, PostLoan}, func(purpose string) bool {
		return slices.ContainsFunc(standing(history, purpose), func(e Act) bool { return e.Part == part })
	})
}

// Standing are the consents of a person for a purpose that hold now, by part.
func (b *Book) Standing(ctx context.Context, tenant, userID, purpose string) ([]credit.Consent, error) {
	history, err := b.Store.Acts(ctx, tenant, userID)
	if err != nil {
		return nil, err
	}
	var out []credit.Consent
	for _, e := range standing(history, purpose) {
		out = append(out, credit.Consent{ID: e.ID, Purpose: e.Purpose, Part: e.Part, Text: e.Text, GivenAt: e.At})
	}
	return out, nil
}

// History is everything a person agreed to and took back, oldest first.
func (b *Book) History(ctx context.Context, tenant, userID string) ([]Act, error) {
	return b.Store.Acts(ctx, tenant, userID)
}

func (b *Book) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }

// standing keeps of a history the last word on each part, when it is a yes.
func standing(history []Act, purpose string) []Act {
	last := map[string]Act{}
	for _, e := range history {
		if e.Purpose == purpose {
			last[e.Part] = e
		}
	}
	var out []Act
	for _, e := range last {
		if e.Kind == Given {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Act) int {
		if a.Part < b.Part {
			return -1
		}
		return 1
	})
	return out
}
