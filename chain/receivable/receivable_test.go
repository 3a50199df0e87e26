package receivable_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
)

var start = time.Date(2026, 5, 20, 2, 0, 0, 0, time.UTC)

func day(s string) money.Date {
	d, err := money.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// paper is a receivable with its history, as a store would keep it.
type paper struct {
	r      receivable.Receivable
	events []receivable.Event
	now    time.Time
	ids    int
}

func (p *paper) id() string {
	p.ids++
	return fmt.Sprintf("part-%04d", p.ids)
}

func (p *paper) env(who receivable.Who) receivable.Env {
	return receivable.Env{Who: who, Now: p.now, Rules: receivable.DefaultRules(), NewID: p.id}
}

func firm(id string) receivable.Who {
	return receivable.Who{Tenant: "bank", UserID: "u-" + id, Name: id, Firms: []string{id}}
}

var theBank = receivable.Who{Tenant: "bank", UserID: "officer", Bank: true}

func (p *paper) append(e receivable.Event) error {
	e, err := receivable.Seal(e, p.r.Head)
	if err != nil {
		return err
	}
	next, err := receivable.Apply(p.r, e)
	if err != nil {
		return err
	}
	p.r, p.events = next, append(p.events, e)
	return nil
}

func (p *paper) do(who receivable.Who, c receivable.Command) error {
	e, err := receivable.Decide(p.r, c, p.env(who))
	if err != nil {
		return err
	}
	return p.append(e)
}

func proposed(amount money.Fen, due money.Date, note string) *paper {
	p := &paper{now: start}
	err := p.append(receivable.Event{
		ReceivableID: "r", Seq: 1, Kind: receivable.Propose, At: start, FirmID: "anchor", Note: note,
		Terms: &receivable.Terms{Number: "AR1", ObligorID: "anchor", CreditorID: "mill", Amount: amount, Due: due, Documents: []receivable.Support{{DocumentID: "d", Amount: amount}}},
	})
	if err != nil {
		panic(err)
	}
	return p
}

func issued(t testing.TB, amount money.Fen) *paper {
	t.Helper()
	p := proposed(amount, day("2026-11-20"), "")
	for _, x := range []struct {
		who  string
		kind receivable.Kind
	}{{"anchor", receivable.Confirm}, {"mill", receivable.Accept}} {
		if err := p.do(firm(x.who), receivable.Command{Kind: x.kind}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// check holds what must be true of every receivable at every time; before is the state
// one event earlier.
func check(t *rapid.T, p *paper, before receivable.Receivable) {
	r := p.r
	children, remaining, paid := map[string]money.Fen{}, money.Fen(0), money.Fen(0)
	for _, x := range r.Parts {
		children[x.ParentID] += x.Amount
		remaining += x.Remaining
		paid += x.Paid
	}
	for _, x := range r.Parts {
		if x.Amount != x.Remaining+children[x.ID] || x.Paid > x.Remaining || x.Paid < 0 {
			t.Fatalf("part %+v with children of %s", x, children[x.ID])
		}
		if x.ParentID != "" && x.HolderID == r.ObligorID && x.Open() != 0 {
			t.Fatalf("the obligor holds its own debt: %+v", x)
		}
	}
	if remaining != r.Amount || paid != r.Paid+r.SetOff || r.Paid+r.SetOff > r.Amount {
		t.Fatalf("%s issued, %s in parts; %s paid, %s set off, %s in parts", r.Amount, remaining, r.Paid, r.SetOff, paid)
	}
	if r.ObligorID != before.ObligorID || r.Due != before.Due || r.Amount != before.Amount || r.Number != before.Number || text(r.Documents) != text(before.Documents) {
		t.Fatalf("terms changed: %+v to %+v", before, r)
	}
	for i, was := range before.Parts {
		is := r.Parts[i]
		if is.ID != was.ID || is.HolderID != was.HolderID || is.Amount != was.Amount || is.ParentID != was.ParentID || is.Remaining > was.Remaining || is.Paid < was.Paid {
			t.Fatalf("part %+v became %+v", was, is)
		}
		if was.Hold != nil && is.Remaining != was.Remaining {
			t.Fatalf("a held part moved: %+v to %+v", was, is)
		}
	}
	e := p.events[len(p.events)-1]
	if e.Payment != nil {
		var sum money.Fen
		for _, s := range e.Payment.Shares {
			was, _ := before.Part(s.PartID)
			var owed money.Fen
			if was.Hold != nil && was.Hold.Kind == receivable.Pledged {
				owed = was.Hold.Owed
			}
			if s.ToFunder != min(owed, s.ToFunder+s.ToHolder) || s.ToFunder+s.ToHolder > was.Open() {
				t.Fatalf("share %+v of part %+v", s, was)
			}
			// Pro rata to less than a fen.
			if exact := float64(e.Payment.Amount) * float64(was.Open()) / float64(before.Outstanding()); float64(s.ToFunder+s.ToHolder) > exact+1 || float64(s.ToFunder+s.ToHolder) < exact-1 {
				t.Fatalf("share %+v, %f would be exact", s, exact)
			}
			sum += s.ToFunder + s.ToHolder
		}
		if sum != e.Payment.Amount || r.Paid-before.Paid != sum {
			t.Fatalf("%s shared of %s", sum, e.Payment.Amount)
		}
	}
	again, err := receivable.Replay(r.Tenant, p.events)
	if err != nil || text(again) != text(r) {
		t.Fatalf("replayed as %s, want %s (%v)", text(again), text(r), err)
	}
}

// TestAnyHistory draws acts of anybody on anything, most of which are refused.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := proposed(money.Fen(rapid.Int64Range(1, 100_000).Draw(t, "amount")), day("2026-11-20"), "")
		kinds := []receivable.Kind{
			receivable.Confirm, receivable.Accept, receivable.Cancel, receivable.Split, receivable.Transfer, receivable.Transfer, receivable.SetOff,
			receivable.Ask, receivable.Ask, receivable.Unask, receivable.Pledge, receivable.Pledge, receivable.Owe, receivable.File, receivable.Freeze, receivable.Release, receivable.Pay,
		}
		firms := []string{"anchor", "mill", "farm", "smith"}
		done := map[receivable.Kind]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			before := p.r
			part := p.r.Parts[rapid.IntRange(0, len(p.r.Parts)-1).Draw(t, "part")]
			c := receivable.Command{
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), PartID: part.ID,
				Amount: money.Fen(rapid.Int64Range(-1, int64(max(part.Open(), 2))).Draw(t, "amount of it")),
				To:     rapid.SampledFrom(firms).Draw(t, "to"), Funder: "bank", Ref: fmt.Sprint(len(p.events)), Note: "why",
				Owed: money.Fen(rapid.Int64Range(0, int64(part.Open())+1).Draw(t, "owed")), Registration: "0471234500",
			}
			if len(p.r.Parts) == 1 && p.r.State == receivable.Proposed { // most histories begin
				c.Kind = rapid.SampledFrom([]receivable.Kind{receivable.Confirm, c.Kind}).Draw(t, "begin")
			}
			if p.r.State == receivable.Confirmed {
				c.Kind = rapid.SampledFrom([]receivable.Kind{receivable.Accept, c.Kind}).Draw(t, "take")
			}
			for range rapid.IntRange(0, 3).Draw(t, "splits") {
				c.Amounts = append(c.Amounts, money.Fen(rapid.Int64Range(0, int64(part.Open())).Draw(t, "split")))
			}
			if c.Kind == receivable.Pay {
				c.Amount = money.Fen(rapid.Int64Range(0, int64(p.r.Outstanding())+1).Draw(t, "pay"))
			}
			who := firm(rapid.SampledFrom(firms).Draw(t, "who"))
			switch rapid.IntRange(0, 3).Draw(t, "as") { // mostly by who may
			case 0:
				who = theBank
			case 1, 2:
				who = firm(part.HolderID)
			}
			if c.Kind == receivable.Confirm || c.Kind == receivable.Pay {
				who = firm("anchor")
			}
			if err := p.do(who, c); err != nil {
				if text(p.r) != text(before) {
					t.Fatalf("a refused act changed the state: %v", err)
				}
				continue
			}
			done[c.Kind]++
			check(t, p, before)
		}
	})
}

// TestWhoMayDoWhat walks the table: every kind, by everybody, in every state.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	states := map[string]func() *paper{
		"proposed": func() *paper { return proposed(1000, day("2026-11-20"), "") },
		"confirmed": func() *paper {
			p := proposed(1000, day("2026-11-20"), "")
			_ = p.do(firm("anchor"), receivable.Command{Kind: receivable.Confirm})
			return p
		},
		"accepted": func() *paper { return issued(t, 1000) },
		"asked":    func() *paper { return then(issued(t, 1000), firm("mill"), receivable.Command{Kind: receivable.Ask}) },
		"frozen": func() *paper {
			return then(issued(t, 1000), theBank, receivable.Command{Kind: receivable.Freeze, Note: "court"})
		},
		"pledged": func() *paper {
			p := then(issued(t, 1000), firm("mill"), receivable.Command{Kind: receivable.Ask})
			return then(p, theBank, receivable.Command{Kind: receivable.Pledge, PartID: p.r.Parts[1].ID, Funder: "bank", Ref: "loan", Owed: 10})
		},
		"redeemed": func() *paper {
			return then(issued(t, 1000), firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 1000, Ref: "w"})
		},
		"cancelled": func() *paper {
			return then(proposed(1000, day("2026-11-20"), ""), firm("anchor"), receivable.Command{Kind: receivable.Cancel})
		},
	}
	// What each may do to the last part, as "kind by whom".
	want := map[string]string{
		"proposed":  "cancel by anchor, confirm by anchor",
		"confirmed": "accept by mill, cancel by anchor, cancel by mill, pay by anchor",
		"accepted":  "ask by mill, cancel by anchor, cancel by mill, freeze by bank, pay by anchor, set_off by mill, split by mill, transfer by mill",
		"asked":     "pay by anchor, pledge by bank, release by bank, unask by mill",
		"frozen":    "pay by anchor, release by bank",
		"pledged":   "file by bank, owe by bank, pay by anchor, release by bank",
		"redeemed":  "", "cancelled": "",
	}
	for state, make := range states {
		var got []string
		for _, kind := range []receivable.Kind{
			receivable.Accept, receivable.Ask, receivable.Cancel, receivable.Confirm, receivable.File, receivable.Freeze, receivable.Owe, receivable.Pay,
			receivable.Pledge, receivable.Propose, receivable.Release, receivable.SetOff, receivable.Split, receivable.Transfer, receivable.Unask,
		} {
			for _, by := range []string{"anchor", "bank", "farm", "mill"} {
				p, who := make(), firm(by)
				if by == "bank" {
					who = theBank
				}
				c := receivable.Command{
					Kind: kind, PartID: p.r.Parts[len(p.r.Parts)-1].ID, Amounts: []money.Fen{1, 2}, Amount: 5, To: "farm", Funder: "bank",
					Ref: "ref", Owed: 5, Registration: "04712345", Note: "why",
				}
				if err := p.do(who, c); err == nil {
					got = append(got, fmt.Sprintf("%s by %s", kind, by))
				}
			}
		}
		if s := strings.Join(got, ", "); s != want[state] {
			t.Errorf("%s allows %q, want %q", state, s, want[state])
		}
	}
}

func then(p *paper, who receivable.Who, c receivable.Command) *paper {
	if err := p.do(who, c); err != nil {
		panic(err)
	}
	return p
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	late := func(p *paper) *paper { p.now = day("2026-11-20").Start(); return p }
	move := receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 10}
	pledged := func(due string) *paper {
		p := proposed(1000, day(due), "harvest is sold in spring")
		then(p, firm("anchor"), receivable.Command{Kind: receivable.Confirm})
		then(p, firm("mill"), receivable.Command{Kind: receivable.Accept})
		return then(p, firm("mill"), receivable.Command{Kind: receivable.Ask})
	}
	pledge := receivable.Command{Kind: receivable.Pledge, PartID: "part-0001", Funder: "bank", Ref: "loan", Owed: 900}
	with := func(c receivable.Command, f func(*receivable.Command)) receivable.Command { f(&c); return c }
	for name, tt := range map[string]struct {
		p    *paper
		who  string
		c    receivable.Command
		want error
	}{
		"negative":                    {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.Amount = -1 }), receivable.ErrAmount},
		"more than there is":          {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.Amount = 1001 }), receivable.ErrTooMuch},
		"splits beyond the whole":     {issued(t, 1000), "mill", receivable.Command{Kind: receivable.Split, Amounts: []money.Fen{600, 401}}, receivable.ErrTooMuch},
		"splits of nothing":           {issued(t, 1000), "mill", receivable.Command{Kind: receivable.Split, Amounts: []money.Fen{0}}, receivable.ErrAmount},
		"no splits":                   {issued(t, 1000), "mill", receivable.Command{Kind: receivable.Split}, receivable.ErrAmount},
		"too many splits":             {issued(t, 5000), "mill", receivable.Command{Kind: receivable.Split, Amounts: slices.Repeat([]money.Fen{1}, receivable.MaxParts)}, receivable.ErrParts},
		"to oneself":                  {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.To = "mill" }), receivable.ErrSelf},
		"to nobody":                   {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.To = "" }), receivable.ErrSelf},
		"to the obligor":              {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.To = "anchor" }), receivable.ErrOwnDebt},
		"by a stranger":               {issued(t, 1000), "farm", move, receivable.ErrNotYours},
		"by the obligor":              {issued(t, 1000), "anchor", move, receivable.ErrNotYours},
		"on the due date":             {late(issued(t, 1000)), "mill", move, receivable.ErrPastDue},
		"a part that is not there":    {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.PartID = "x" }), receivable.ErrPart},
		"nothing known":               {issued(t, 1000), "mill", receivable.Command{Kind: "eat"}, receivable.ErrCommand},
		"a proposal a second time":    {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Propose}, receivable.ErrCommand},
		"confirmed after a year":      {proposed(1000, day("2027-05-21"), "x"), "anchor", receivable.Command{Kind: receivable.Confirm}, receivable.ErrTerm},
		"confirmed beyond six months": {proposed(1000, day("2026-11-21"), ""), "anchor", receivable.Command{Kind: receivable.Confirm}, receivable.ErrReason},
		"confirmed when due":          {late(proposed(1000, day("2026-11-20"), "")), "anchor", receivable.Command{Kind: receivable.Confirm}, receivable.ErrPastDue},
		"paid too much":               {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Pay, Amount: 1001, Ref: "w"}, receivable.ErrOverpaid},
		"paid nothing":                {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Pay, Ref: "w"}, receivable.ErrAmount},
		"paid without a reference":    {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: " "}, receivable.ErrRef},
		"paid tomorrow":               {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: "w", Date: day("2026-05-21")}, receivable.ErrPayDate},
		"paid before it was issued":   {issued(t, 1000), "anchor", receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: "w", Date: day("2026-05-19")}, receivable.ErrPayDate},
		"paid by one reference twice": {then(issued(t, 1000), firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: "w"}), "anchor", receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: "w"}, receivable.ErrRefUsed},
		"frozen without a reason":     {issued(t, 1000), "", receivable.Command{Kind: receivable.Freeze}, receivable.ErrWhy},
		"pledged by nobody":           {pledged("2026-11-20"), "", with(pledge, func(c *receivable.Command) { c.Funder = "" }), receivable.ErrFunder},
		"pledged for no loan":         {pledged("2026-11-20"), "", with(pledge, func(c *receivable.Command) { c.Ref = "" }), receivable.ErrRef},
		"pledged for more":            {pledged("2026-11-20"), "", with(pledge, func(c *receivable.Command) { c.Owed = 1001 }), receivable.ErrTooMuch},
		"pledged for nothing":         {pledged("2026-11-20"), "", with(pledge, func(c *receivable.Command) { c.Owed = 0 }), receivable.ErrAmount},
		"pledged with a long term":    {pledged("2027-05-20"), "", pledge, receivable.ErrReview},
		"pledged twice":               {then(pledged("2026-11-20"), theBank, pledge), "", pledge, receivable.ErrHeld},
		"pledged without being asked": {issued(t, 1000), "", with(pledge, func(c *receivable.Command) { c.PartID = "" }), receivable.ErrNotHeld},
		"registered under nonsense":   {then(pledged("2026-11-20"), theBank, pledge), "", receivable.Command{Kind: receivable.File, PartID: "part-0001", Registration: "a b"}, receivable.ErrRegNumber},
		"registered twice":            {then(then(pledged("2026-11-20"), theBank, pledge), theBank, receivable.Command{Kind: receivable.File, PartID: "part-0001", Registration: "04712345"}), "", receivable.Command{Kind: receivable.File, PartID: "part-0001", Registration: "04712346"}, receivable.ErrRegistered},
		"given up without a reason":   {then(pledged("2026-11-20"), theBank, pledge), "", receivable.Command{Kind: receivable.Release, PartID: "part-0001"}, receivable.ErrWhy},
		"cancelled after a move":      {then(issued(t, 1000), firm("mill"), move), "anchor", receivable.Command{Kind: receivable.Cancel}, receivable.ErrMoved},
		"cancelled after a payment":   {then(issued(t, 1000), firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 1, Ref: "w"}), "mill", receivable.Command{Kind: receivable.Cancel}, receivable.ErrMoved},
		"cancelled by one alone":      {then(issued(t, 1000), firm("anchor"), receivable.Command{Kind: receivable.Cancel}), "anchor", receivable.Command{Kind: receivable.Cancel}, receivable.ErrAsked},
		"a novel":                     {issued(t, 1000), "mill", with(move, func(c *receivable.Command) { c.Note = strings.Repeat("长", 501) }), receivable.ErrNote},
	} {
		who := firm(tt.who)
		if tt.who == "" {
			who = theBank
		}
		before := text(tt.p.r)
		if err := tt.p.do(who, tt.c); !errors.Is(err, tt.want) || text(tt.p.r) != before {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestCancelByBoth(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"anchor", "mill"}, {"mill", "anchor"}} {
		p := issued(t, 1000)
		then(p, firm(order[0]), receivable.Command{Kind: receivable.Cancel})
		if p.r.State != receivable.Accepted || p.r.CancelAskedBy != order[0] {
			t.Errorf("one alone: %+v", p.r)
		}
		then(p, firm(order[1]), receivable.Command{Kind: receivable.Cancel})
		if p.r.State != receivable.Cancelled || p.r.Outstanding() != 0 {
			t.Errorf("both: %+v", p.r)
		}
	}
	// What moves in between is wanted again.
	p := then(issued(t, 1000), firm("anchor"), receivable.Command{Kind: receivable.Cancel})
	then(p, firm("mill"), receivable.Command{Kind: receivable.Transfer, To: "farm"})
	if p.r.CancelAskedBy != "" {
		t.Errorf("still to be cancelled: %+v", p.r)
	}
	// After the due date nobody will take it any more.
	p = then(proposed(1000, day("2026-11-20"), ""), firm("anchor"), receivable.Command{Kind: receivable.Confirm})
	p.now = day("2026-11-21").Start()
	if then(p, firm("anchor"), receivable.Command{Kind: receivable.Cancel}); p.r.State != receivable.Cancelled {
		t.Errorf("never taken: %+v", p.r)
	}
}

func TestSetOff(t *testing.T) {
	t.Parallel()
	p := then(issued(t, 1000), firm("mill"), receivable.Command{Kind: receivable.SetOff, Amount: 400})
	if p.r.SetOff != 400 || p.r.Outstanding() != 600 || p.r.Parts[1].HolderID != "anchor" || p.r.Parts[1].Open() != 0 {
		t.Errorf("%+v", p.r)
	}
	p.now = day("2026-12-01").Start() // also when it is due
	then(p, firm("mill"), receivable.Command{Kind: receivable.SetOff, Amount: 100})
	if then(p, firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 500, Ref: "w"}); p.r.State != receivable.Redeemed {
		t.Errorf("%+v", p.r)
	}
}

func TestMergedFirmsAreOne(t *testing.T) {
	t.Parallel()
	p := issued(t, 1000)
	env := p.env(firm("mill-new"))
	env.Same = func(id string) string {
		switch id {
		case "mill":
			return "mill-new"
		case "anchor-old":
			return "anchor"
		}
		return id
	}
	for to, want := range map[string]error{"mill": receivable.ErrSelf, "anchor-old": receivable.ErrOwnDebt, "farm": nil} {
		if _, err := receivable.Decide(p.r, receivable.Command{Kind: receivable.Transfer, To: to}, env); !errors.Is(err, want) && (err != nil || want != nil) {
			t.Errorf("to %s: %v, want %v", to, err, want)
		}
	}
}

func TestForgedHistoryIsFound(t *testing.T) {
	t.Parallel()
	make := func() []receivable.Event {
		p := then(issued(t, 1000), firm("mill"), receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 400})
		return then(p, firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 1000, Ref: "w"}).events
	}
	reseal := func(events []receivable.Event) []receivable.Event {
		prev := ""
		for i, e := range events {
			e, err := receivable.Seal(e, prev)
			if err != nil {
				t.Fatal(err)
			}
			events[i], prev = e, e.Hash
		}
		return events
	}
	if _, err := receivable.Replay("bank", make()); err != nil {
		t.Fatal(err)
	}
	for name, forge := range map[string]func([]receivable.Event) []receivable.Event{
		"another amount":                 func(e []receivable.Event) []receivable.Event { e[0].Terms.Amount = 2000; return e },
		"another actor":                  func(e []receivable.Event) []receivable.Event { e[3].UserID = "x"; return e },
		"an event left out":              func(e []receivable.Event) []receivable.Event { return slices.Delete(e, 3, 4) },
		"two exchanged":                  func(e []receivable.Event) []receivable.Event { e[1], e[2] = e[2], e[1]; return e },
		"sealed again: too large a part": func(e []receivable.Event) []receivable.Event { e[3].Parts[0].Amount = 1400; return reseal(e) },
		"sealed again: a share too much": func(e []receivable.Event) []receivable.Event { e[4].Payment.Shares[0].ToHolder++; return reseal(e) },
		"sealed again: a share to nobody": func(e []receivable.Event) []receivable.Event {
			e[4].Payment.Shares[0].ToFunder, e[4].Payment.Shares[0].ToHolder = 600, 0
			return reseal(e)
		},
		"sealed again: a part twice": func(e []receivable.Event) []receivable.Event {
			e[3].Parts = append(e[3].Parts, e[3].Parts[0])
			return reseal(e)
		},
	} {
		if _, err := receivable.Replay("bank", forge(make())); !errors.Is(err, receivable.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProRata(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) money.Fen {
			return money.Fen(rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64Range(0, int64(receivable.MaxAmount))).Draw(t, "weight"))
		}), 0, 50).Draw(t, "weights")
		var total money.Fen
		for _, w := range weights {
			total += w
		}
		amount := money.Fen(rapid.Int64Range(0, int64(total)).Draw(t, "amount"))
		var sum money.Fen
		for i, s := range receivable.ProRata(amount, weights) {
			if s < 0 || s > weights[i] {
				t.Fatalf("%s of %s", s, weights[i])
			}
			sum += s
		}
		if sum != amount {
			t.Fatalf("%s shared of %s", sum, amount)
		}
	})
}

func ExampleProRata() {
	// 100.00 yuan on three holdings of 1.00, 1.00 and 298.00 yuan.
	fmt.Println(receivable.ProRata(100_00, []money.Fen{1_00, 1_00, 298_00}))
	// Output: [0.34 0.33 99.33]
}

// A receivable of 1,000 yuan is passed on in part, financed in part, and paid.
func ExampleDecide() {
	p := proposed(1000_00, day("2026-11-20"), "")
	then(p, firm("anchor"), receivable.Command{Kind: receivable.Confirm})
	then(p, firm("mill"), receivable.Command{Kind: receivable.Accept})
	then(p, firm("mill"), receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 300_00})
	then(p, firm("mill"), receivable.Command{Kind: receivable.Ask, Amount: 500_00})
	then(p, theBank, receivable.Command{Kind: receivable.Pledge, PartID: p.r.Parts[2].ID, Funder: "bank", Ref: "loan 7", Owed: 400_00})
	then(p, firm("anchor"), receivable.Command{Kind: receivable.Pay, Amount: 1000_00, Ref: "wire 1"})
	for _, s := range p.events[len(p.events)-1].Payment.Shares {
		fmt.Println(s.HolderID, s.ToHolder, s.Funder, s.ToFunder)
	}
	fmt.Println(p.r.State)
	// Output:
	// mill 200.00  0.00
	// farm 300.00  0.00
	// mill 100.00 bank 400.00
	// redeemed
}
