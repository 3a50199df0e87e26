package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

// scene is a book with something of everything in it.
type scene struct {
	*ledger.Service
	clock *clock
}

func newScene(t *testing.T, db *store.DB) scene {
	t.Helper()
	book, clock := timed(t, db)
	s, ctx := scene{book, clock}, context.Background()
	must := func(_ ledger.Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(book.Post(ctx, lend("a", "k", 100)))
	must(book.Post(ctx, two("saved", "cash", "borrower_credit", 50)))
	for _, key := range []string{"open", "settled", "voided", "expired"} {
		until := time.Time{}
		if key == "expired" {
			until = noon.Add(time.Minute)
		}
		must(book.Hold(ctx, two(key, "borrower_credit", "cash", 10), until))
	}
	must(book.Settle(ctx, end("settled!", "settled")))
	must(book.Void(ctx, end("voided!", "voided")))
	clock.pass(time.Hour)
	return s
}

// two is an entry from one account to another, both of the item "x".
func two(key, debit, credit string, amount money.Fen) ledger.Entry {
	return ledger.Entry{Tenant: "a", Key: key, Kind: "test", Item: "x", Date: money.DateOf(noon), Postings: []ledger.Posting{
		{Account: debit, Item: "x", Amount: amount}, {Account: credit, Item: "x", Amount: -amount},
	}}
}

func end(key, hold string) ledger.End {
	return ledger.End{Tenant: "a", Key: key, Hold: hold, Date: money.DateOf(noon)}
}

// The results that TigerBeetle gives for a transfer that it does not make, and what this
// book says. Those of its wire format (flags, reserved ids, time stamps, imported events,
// numbers of ledgers) have no like here and are left out.
func TestRefusals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	post := func(change func(*ledger.Entry)) func(s scene) error {
		return func(s scene) error {
			e := lend("a", "new", 5)
			change(&e)
			_, err := s.Post(ctx, e)
			return err
		}
	}
	again := func(change func(*ledger.Entry)) func(s scene) error {
		return func(s scene) error {
			e := lend("a", "k", 100)
			change(&e)
			_, err := s.Post(ctx, e)
			return err
		}
	}
	settle := func(key, hold string, postings ...ledger.Posting) func(s scene) error {
		return func(s scene) error {
			x := end(key, hold)
			x.Postings = postings
			_, err := s.Settle(ctx, x)
			return err
		}
	}
	cases := map[string]struct {
		do      func(s scene) error
		want    error
		differs string
	}{
		"linked_event_failed": {func(s scene) error {
			_, err := s.PostAll(ctx, []ledger.Entry{lend("a", "l1", 5), two("l2", "borrower_credit", "cash", 9999), lend("a", "l3", 5)})
			return err
		}, ledger.ErrDebitLimit, "entries[1]"},
		"linked_event_chain_open":                                   {func(s scene) error { _, err := s.PostAll(ctx, nil); return err }, ledger.ErrEmpty, ""},
		"timestamp_must_be_zero (what the book sets is the book's)": {post(func(e *ledger.Entry) { e.Seq, e.At, e.Hash, e.Key = 77, noon.AddDate(9, 0, 0), "x", "" }), ledger.ErrEmpty, ""},
		"id_must_not_be_zero":                                       {post(func(e *ledger.Entry) { e.Key = "" }), ledger.ErrEmpty, ""},
		"id_must_not_be_int_max":                                    {post(func(e *ledger.Entry) { e.Key = strings.Repeat("k", 201) }), ledger.ErrText, "key"},
		"flags_are_mutually_exclusive":                              {post(func(e *ledger.Entry) { e.Op, e.Hold = ledger.Held, "open" }), ledger.ErrOp, "hold"},
		"reserved_flag":                                             {post(func(e *ledger.Entry) { e.Op = "other" }), ledger.ErrOp, "op"},
		"only the book lets a hold expire":                          {post(func(e *ledger.Entry) { e.Op, e.Hold = ledger.Expire, "open" }), ledger.ErrOp, "op"},
		"debit_account_id_must_not_be_zero":                         {post(func(e *ledger.Entry) { e.Postings[0].Account = "" }), ledger.ErrAccount, ""},
		"credit_account_id_must_not_be_zero":                        {post(func(e *ledger.Entry) { e.Postings[1].Account = "" }), ledger.ErrAccount, ""},
		"debit_account_not_found":                                   {post(func(e *ledger.Entry) { e.Postings[0].Account = "petty" }), ledger.ErrAccount, ""},
		"credit_account_not_found":                                  {post(func(e *ledger.Entry) { e.Postings[1].Account = "petty" }), ledger.ErrAccount, ""},
		"account is a heading":                                      {post(func(e *ledger.Entry) { e.Postings[1].Account = "assets" }), ledger.ErrHeading, ""},
		"accounts_must_have_the_same_ledger":                        {post(func(e *ledger.Entry) { e.Postings[0].Account = "pledged" }), ledger.ErrMemo, ""},
		"transfer_must_have_the_same_ledger_as_accounts": {func(s scene) error {
			_, err := s.PostAll(ctx, []ledger.Entry{lend("a", "t1", 5), lend("b", "t2", 5)})
			return err
		}, ledger.ErrTenants, "entries[1]"},
		"pending_id_must_be_zero":               {post(func(e *ledger.Entry) { e.Hold = "open" }), ledger.ErrOp, "hold"},
		"pending_id_must_not_be_zero":           {post(func(e *ledger.Entry) { e.Op = ledger.Settle }), ledger.ErrOp, "hold"},
		"pending_id_must_be_different":          {post(func(e *ledger.Entry) { e.Op, e.Hold = ledger.Settle, e.Key }), ledger.ErrOp, "hold"},
		"timeout_reserved_for_pending_transfer": {post(func(e *ledger.Entry) { e.Until = noon.AddDate(1, 0, 0) }), ledger.ErrOp, "until"},
		"timeout in the past": {func(s scene) error {
			_, err := s.Hold(ctx, two("h", "borrower_credit", "cash", 1), noon)
			return err
		}, ledger.ErrPast, ""},
		"amount_must_not_be_zero":             {post(func(e *ledger.Entry) { e.Postings[0].Amount, e.Postings[1].Amount = 0, 0 }), ledger.ErrEmpty, ""},
		"amount too large":                    {post(func(e *ledger.Entry) { e.Postings[0].Amount, e.Postings[1].Amount = 1<<62, -1<<62 }), ledger.ErrAmount, ""},
		"amount of the smallest int":          {post(func(e *ledger.Entry) { e.Postings[1].Amount = -1 << 63 }), ledger.ErrAmount, ""},
		"one side":                            {post(func(e *ledger.Entry) { e.Postings = e.Postings[:1] }), ledger.ErrEmpty, ""},
		"sides differ":                        {post(func(e *ledger.Entry) { e.Postings[0].Amount++ }), ledger.ErrUnbalanced, "0.01"},
		"too many postings":                   {post(func(e *ledger.Entry) { e.Postings = make([]ledger.Posting, 1001) }), ledger.ErrPostings, ""},
		"code_must_not_be_zero (date)":        {post(func(e *ledger.Entry) { e.Date = 0 }), ledger.ErrOp, "date"},
		"a NUL, which PostgreSQL cannot keep": {post(func(e *ledger.Entry) { e.Memo = "a\x00" }), ledger.ErrText, "memo"},
		"bytes that are no text":              {post(func(e *ledger.Entry) { e.Postings[0].Item = "\xff" }), ledger.ErrText, "item"},

		"pending_transfer_not_found":                       {settle("s", "nowhere"), ledger.ErrNotFound, ""},
		"pending_transfer_not_pending":                     {settle("s", "k"), ledger.ErrNotHold, "k"},
		"pending_transfer_has_different_debit_account_id":  {settle("s", "open", p("loan_principal", 5), p("cash", -5)), ledger.ErrHoldDiffers, "loan_principal"},
		"pending_transfer_has_different_credit_account_id": {settle("s", "open", p("borrower_credit", 5), p("loan_principal", -5)), ledger.ErrHoldDiffers, "loan_principal"},
		"settled on the other side":                        {settle("s", "open", p("cash", 5), p("borrower_credit", -5)), ledger.ErrHoldDiffers, "cash"},
		"exceeds_pending_transfer_amount":                  {settle("s", "open", p("borrower_credit", 11), p("cash", -11)), ledger.ErrHoldExceeded, "0.11"},
		"exceeds it in two postings":                       {settle("s", "open", p("borrower_credit", 6), p("borrower_credit", 5), p("cash", -6), p("cash", -5)), ledger.ErrHoldExceeded, "0.05"},
		"pending_transfer_has_different_amount": {func(s scene) error {
			_, err := s.Post(ctx, ledger.Entry{Tenant: "a", Key: "v", Op: ledger.Void, Hold: "open", Date: money.DateOf(noon), Postings: []ledger.Posting{p("borrower_credit", 5), p("cash", -5)}})
			return err
		}, ledger.ErrOp, "postings"},
		"pending_transfer_already_posted": {settle("s", "settled"), ledger.ErrSettled, ""},
		"pending_transfer_already_voided": {settle("s", "voided"), ledger.ErrVoided, ""},
		"pending_transfer_expired":        {settle("s", "expired"), ledger.ErrExpired, ""},
		"void of one already posted":      {func(s scene) error { _, err := s.Void(ctx, end("v", "settled")); return err }, ledger.ErrSettled, ""},
		"void of one already voided":      {func(s scene) error { _, err := s.Void(ctx, end("v", "voided")); return err }, ledger.ErrVoided, ""},
		"void of one expired":             {func(s scene) error { _, err := s.Void(ctx, end("v", "expired")); return err }, ledger.ErrExpired, ""},

		"exists_with_different_flags":      {again(func(e *ledger.Entry) { e.Op = ledger.Held }), ledger.ErrKeyReused, "op"},
		"exists_with_different_pending_id": {settle("settled!", "open"), ledger.ErrKeyReused, "hold"},
		"exists_with_different_timeout": {func(s scene) error {
			_, err := s.Hold(ctx, two("open", "borrower_credit", "cash", 10), noon.AddDate(1, 0, 0))
			return err
		}, ledger.ErrKeyReused, "until"},
		"exists_with_different_debit_account_id":  {again(func(e *ledger.Entry) { e.Postings[0].Account = "interest_income" }), ledger.ErrKeyReused, "account"},
		"exists_with_different_credit_account_id": {again(func(e *ledger.Entry) { e.Postings[1].Account = "interest_income" }), ledger.ErrKeyReused, "account"},
		"exists_with_different_amount":            {again(func(e *ledger.Entry) { e.Postings[0].Amount, e.Postings[1].Amount = 101, -101 }), ledger.ErrKeyReused, "amount"},
		"exists_with_different_user_data_128":     {again(func(e *ledger.Entry) { e.Item = "other" }), ledger.ErrKeyReused, "item"},
		"exists_with_different_user_data_64":      {again(func(e *ledger.Entry) { e.Memo = "other" }), ledger.ErrKeyReused, "memo"},
		"exists_with_different_user_data_32":      {again(func(e *ledger.Entry) { e.Date++ }), ledger.ErrKeyReused, "date"},
		"exists_with_different_code":              {again(func(e *ledger.Entry) { e.Kind = "other" }), ledger.ErrKeyReused, "kind"},

		"exceeds_credits": {func(s scene) error { _, err := s.Post(ctx, two("d", "borrower_credit", "cash", 31)); return err }, ledger.ErrDebitLimit, "0.01"},
		"exceeds_debits":  {func(s scene) error { _, err := s.Post(ctx, two("d", "cash", "loan_principal", 1)); return err }, ledger.ErrCreditLimit, "0.01"},
		"exceeds_credits by a hold": {func(s scene) error {
			_, err := s.Hold(ctx, two("d", "borrower_credit", "cash", 31), time.Time{})
			return err
		}, ledger.ErrDebitLimit, "0.01"},
		"debit_account_already_closed": {func(s scene) error {
			if _, err := s.Close(ctx, ledger.Closing{Tenant: "a", Key: "c", Account: "loan_principal", Through: money.DateOf(noon)}); err != nil {
				return err
			}
			_, err := s.Post(ctx, lend("a", "new", 5))
			return err
		}, ledger.ErrShut, "loan_principal"},
		"the book closed": {func(s scene) error {
			if _, err := s.Close(ctx, ledger.Closing{Tenant: "a", Key: "c", Through: money.DateOf(noon)}); err != nil {
				return err
			}
			_, err := s.Post(ctx, lend("a", "new", 5))
			return err
		}, ledger.ErrClosed, "2026-07-01"},
		"closed earlier than it is": {func(s scene) error {
			if _, err := s.Close(ctx, ledger.Closing{Tenant: "a", Key: "c", Through: money.DateOf(noon)}); err != nil {
				return err
			}
			_, err := s.Close(ctx, ledger.Closing{Tenant: "a", Key: "c2", Through: money.DateOf(noon) - 1})
			return err
		}, ledger.ErrReopen, ""},
		"closing what is no account": {func(s scene) error {
			_, err := s.Close(ctx, ledger.Closing{Tenant: "a", Key: "c", Account: "petty", Through: money.DateOf(noon)})
			return err
		}, ledger.ErrAccount, ""},
		"revert of what moved on": {func(s scene) error {
			if _, err := s.Post(ctx, two("spent", "borrower_credit", "cash", 25)); err != nil {
				return err
			}
			_, err := s.Reverse(ctx, "a", "saved", "", money.DateOf(noon))
			return err
		}, ledger.ErrDebitLimit, ""},
		"revert of a revert": {func(s scene) error {
			back, err := s.Reverse(ctx, "a", "k", "", money.DateOf(noon))
			if err != nil {
				return err
			}
			_, err = s.Reverse(ctx, "a", back.Key, "", money.DateOf(noon))
			return err
		}, ledger.ErrReversal, ""},
		"revert of a hold": {func(s scene) error { _, err := s.Reverse(ctx, "a", "open", "", money.DateOf(noon)); return err }, ledger.ErrNotBooked, ""},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newScene(t, db)
		start, err := s.Entries(ctx, "a", ledger.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				// Each in a world of its own on the one database: what it does is undone.
				err := errUndo
				undone := db.Tx(ctx, func(tx *store.Tx) error {
					err = c.do(scene{ledger.New(within{ledgerstore.New(db), tx}, chart, s.clock.now), s.clock})
					return errUndo
				})
				if !errors.Is(undone, errUndo) {
					t.Fatal(undone)
				}
				if !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if !strings.Contains(err.Error(), c.differs) {
					t.Errorf("%q does not say %q", err, c.differs)
				}
			})
		}
		if now, err := s.Entries(ctx, "a", ledger.Filter{}); err != nil || len(now) != len(start) {
			t.Errorf("%d entries, were %d, %v", len(now), len(start), err)
		}
		audit, err := s.Verify(ctx, "a")
		if err != nil || !audit.OK() || audit.Holds != 2 { // the one that is due waits for the next posting
			t.Errorf("%+v %v", audit, err)
		}
	})
}

var errUndo = errors.New("undo")

func p(account string, amount money.Fen) ledger.Posting {
	return ledger.Posting{Account: account, Item: "x", Amount: amount}
}

// within posts and looks up in a transaction that somebody else ends.
type within struct {
	*ledgerstore.Store
	tx *store.Tx
}

func (w within) Append(ctx context.Context, group []ledger.Entry) ([]ledger.Entry, error) {
	return ledgerstore.Append(ctx, w.tx, group)
}

func (w within) Entry(ctx context.Context, tenant, key string) (ledger.Entry, error) {
	return ledgerstore.ByKey(ctx, w.tx, tenant, key)
}
