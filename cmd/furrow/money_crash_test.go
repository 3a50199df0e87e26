package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/rail"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestMoneyKilled is the crash drill of the money: a house lends by the bank's HTTP
// protocol and is killed with SIGKILL again and again while people draw and repay, each
// with an idempotency key and until the house has told the outcome. Each movement is then
// once at the bank, in the events of its loan, in the ledger and with the funders.
// FURROW_DRILL says how many movements; see make drill.
func TestMoneyKilled(t *testing.T) {
	t.Parallel()
	movements := 60
	if n, err := strconv.Atoi(os.Getenv("FURROW_DRILL")); err == nil {
		movements = n
	}
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			if movements < 500 { // the whole drill has the machine for itself
				t.Parallel()
			}
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
			if kind == "postgres" {
				dsn = storetest.Postgres(t)
			}
			moneyDrill(t, dsn, movements)
		})
	}
}

// asBank makes the test binary the sandbox bank: address, journal and callback.
const asBank = "FURROW_TEST_AS_BANK"

var bankKey = rail.Key{ID: "drill", Secret: []byte("the drill's secret, of 32 bytes and more")}

// runBank serves a bank that a quarter of the orders have trouble with, until it is killed.
func runBank(where string) error {
	part := strings.Split(where, "|")
	b, err := bank.Open(part[1], time.Now)
	if err != nil {
		return err
	}
	trouble := bank.Random(7, 250)
	b.Conduct = func(o pay.Order) bank.Conduct {
		c := trouble(o)
		h := fnv.New32a()
		_, _ = h.Write([]byte(o.ID)) // never fails
		c.Delay = time.Duration(h.Sum32()%40) * time.Millisecond
		return c
	}
	s := &bank.Server{Bank: b, Key: bankKey, Callback: part[2], Client: &http.Client{Timeout: 5 * time.Second}}
	told := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get(rail.IdempotencyKey); id != "" {
			go func() {
				time.Sleep(30 * time.Millisecond) // a bank calls when it is done
				_, _ = s.Tell(context.Background(), id)
			}()
		}
		s.ServeHTTP(w, r)
	})
	return (&http.Server{Addr: part[0], Handler: told, ReadHeaderTimeout: time.Minute}).ListenAndServe()
}

const drillTenant, drillers = "bank", 6

// moneyHouse is a house that is killed, and those who move money at it.
type moneyHouse struct {
	testing.TB
	dir, dsn string
	env      []string
	args     []string
	url      string
	people   []*drawer

	goal   int64
	moved  atomic.Int64 // acknowledged
	lost   atomic.Int64 // requests whose answer a kill took
	failed atomic.Int64 // refused by the bank
}

// drawer is a firm's owner who draws and repays.
type drawer struct {
	*moneyHouse
	token, application string
	random             *rand.Rand
	moves              []movement
}

// movement was acknowledged by the house.
type movement struct {
	loan   string
	in     bool
	amount money.Fen
}

func moneyDrill(t *testing.T, dsn string, movements int) {
	d := newDrill(t, dsn, movements)
	house := start(t, d.env, d.args...)
	house.ready(d.url)
	d.settle()

	begun := time.Now()
	var wg sync.WaitGroup
	for _, p := range d.people {
		wg.Go(p.live)
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	random, kills := rand.New(rand.NewPCG(11, uint64(movements))), 0
	for over := false; !over; {
		over = d.await(d.moved.Load()+3+random.Int64N(int64(movements/25+6)), done)
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		house.signal(syscall.SIGKILL)
		<-house.done
		kills++
		house = start(t, d.env, d.args...)
		house.ready(d.url)
	}
	<-done
	t.Logf("%d movements acknowledged over %d kills in %s; %d answers lost, %d orders refused by the bank",
		d.moved.Load(), kills, time.Since(begun).Round(time.Second), d.lost.Load(), d.failed.Load())
	if kills < 4 || d.lost.Load() == 0 {
		t.Errorf("%d kills took %d answers: nothing was tested", kills, d.lost.Load())
	}
	if !t.Failed() {
		d.check()
	}
}

// await waits until so many movements are acknowledged; over says that no more come.
func (d *moneyHouse) await(moved int64, done <-chan struct{}) (over bool) {
	for limit := time.Now().Add(time.Minute); d.moved.Load() < moved; {
		select {
		case <-done:
			return true
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(limit) {
			d.Errorf("no movement for a minute: %d of %d", d.moved.Load(), d.goal)
			return true
		}
	}
	return false
}

// newDrill starts the bank and writes the catalogue: the order loan as a line that is drawn
// again and again, shared by three.
func newDrill(t *testing.T, dsn string, movements int) *moneyHouse {
	dir, addr, at := t.TempDir(), freePort(t), freePort(t)
	d := &moneyHouse{TB: t, dir: dir, dsn: dsn, url: "http://" + addr, goal: int64(movements)}
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	over := filepath.Join(dir, "catalog")
	if err := os.Mkdir(over, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]string{
		"products.yaml": "\n  - {code: line, based_on: order, name: {zh-CN: 订单循环贷, en: Order line}, revolving: true, max_fen: 300000000}\n",
		"funders.yaml": `
  - code: drill
    name: {zh-CN: 演练, en: Drill}
    products: [line]
    from: "2020-01-01"
    internet: false
    on_breach: refuse
    parties:
      - {funder: own, share_bp: 5000}
      - {funder: development_bank, share_bp: 3000, rate_bp: 380}
      - {funder: harvest_trust, share_bp: 2000, rate_bp: 400}
`,
	} {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(over, name), append(body, more...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.startBank(at)
	d.env = []string{"FURROW_OPERATOR_PASSWORD=" + apptest.Password, "FURROW_DB=" + dsn, "FURROW_RAIL_SECRET=" + string(bankKey.Secret)}
	d.args = []string{
		"serve", "--data", filepath.Join(dir, "data"), "--addr", addr, "--mqtt", "-", "--catalog", over, "--tenant", drillTenant,
		"--rail", "http://" + at, "--rail-key", bankKey.ID, "--rail-timeout", "2s",
	}
	return d
}

func (d *moneyHouse) journal() string { return filepath.Join(d.dir, "bank.jsonl") }

// startBank starts the bank's own process, which lives through the drill.
func (d *moneyHouse) startBank(addr string) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), asBank+"="+strings.Join([]string{addr, d.journal(), d.url + "/api/v1" + rail.CallbackPath}, "|"))
	cmd.Stderr = d.Output()
	if err := cmd.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
}

func drillCode(n int) string {
	org := fmt.Sprintf("MA%06d", 480_001+n)
	body := "91990100" + org + string(party.OrgCheckChar(org))
	return body + string(party.CheckChar(body))
}

// settle brings an anchor's books and firms that sell to it, whose owners sign a line.
func (d *moneyHouse) settle() {
	operator := apptest.SignIn(d, d.url, apptest.Operator)
	user := func(role access.Role, login, firm string) string {
		var u access.User
		operator.Post("/operator/users", map[string]any{"login": login, "password": apptest.Password, "name": login, "role": role, "firm_id": firm}, &u)
		return u.ID
	}
	var anchor chain.Party
	operator.Post("/operator/firms", map[string]any{"uscc": drillCode(0), "name": "演练核心企业有限公司", "anchor": true}, &anchor)
	user(access.Anchor, "anchor", anchor.ID)
	user(access.Officer, "officer", "")
	d.books(apptest.SignIn(d, d.url, "anchor"))
	for i := range drillers {
		login := fmt.Sprint("owner", i)
		owner := user(access.Borrower, login, "")
		var firm chain.Party
		operator.Post("/operator/firms", map[string]any{"uscc": drillCode(i + 1), "name": drillFirm(i), "owner_id": owner}, &firm)
		d.people = append(d.people, d.sign(apptest.SignIn(d, d.url, login), firm.ID, uint64(i)))
	}
}

func drillFirm(i int) string {
	return fmt.Sprintf("演练%s粮油有限公司", "甲乙丙丁戊己"[3*i:3*i+3])
}

// books uploads a year of trade of all firms.
func (d *moneyHouse) books(anchor *apptest.Person) {
	rows := map[chain.DocKind][]map[string]string{}
	for f := range drillers {
		side := map[string]string{"seller": drillFirm(f), "seller_uscc": drillCode(f + 1)}
		add := func(kind chain.DocKind, more ...string) {
			row := map[string]string{}
			for k, v := range side {
				row[k] = v
			}
			for i := 0; i < len(more); i += 2 {
				row[more[i]] = more[i+1]
			}
			rows[kind] = append(rows[kind], row)
		}
		add(chain.Suppliers, "date", time.Now().AddDate(-2, 0, 0).Format(time.DateOnly))
		for m := range 13 {
			day := time.Now().AddDate(0, m-13, 0)
			for kind, days := range map[chain.DocKind]int{chain.Order: 0, chain.Delivery: 5, chain.Invoice: 9, chain.Payment: 20} {
				add(kind, "number", fmt.Sprintf("%s-%d-%02d", kind, f, m), "order_no", fmt.Sprintf("%s-%d-%02d", chain.Order, f, m),
					"goods", "面粉", "amount", "200000.00", "date", day.AddDate(0, 0, days).Format(time.DateOnly))
			}
		}
	}
	for _, kind := range upload.Kinds() {
		if len(rows[kind]) == 0 {
			continue
		}
		columns, err := upload.Columns(kind)
		if err != nil {
			d.Fatal(err)
		}
		table := make([][]string, 1+len(rows[kind]))
		for _, c := range columns {
			table[0] = append(table[0], c.Zh)
			for i, r := range rows[kind] {
				table[i+1] = append(table[i+1], r[c.Field])
			}
		}
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(table); err != nil {
			d.Fatal(err)
		}
		var u chain.Upload
		r := anchor.Upload("/anchor/uploads", map[string]string{"kind": string(kind)}, string(kind)+".csv", b.Bytes())
		if r.Read(d, &u); u.Good != len(rows[kind]) {
			d.Fatalf("%s: %s", kind, r.Body)
		}
		anchor.Post("/anchor/uploads/"+u.ID+"/commit", map[string]bool{"skip_bad": false}, nil)
	}
}

// sign takes a line up.
func (d *moneyHouse) sign(who *apptest.Person, firm string, seed uint64) *drawer {
	var c struct{ Consents consent.Wordings }
	who.Get("/catalogue", &c)
	var a apply.Application
	who.Post("/farmer/applications", apply.Request{
		Subject: credit.Subject{Kind: credit.FirmSubject, ID: firm}, Product: "line", Asked: 20_000_000, TermMonths: 12, Purpose: "进货",
		Consents: c.Consents.Answers("zh-CN", "decision", "standing"),
	}, &a)
	path := "/farmer/applications/" + a.ID
	apptest.Poll(d, 60*time.Second, "decision", func() bool {
		who.Get(path, &struct{ Application *apply.Application }{&a})
		return a.State != apply.Submitted && a.State != apply.Deciding
	})
	var contract apply.Contract
	who.Get(path+"/contract", &contract)
	who.Post(path+"/sign", map[string]string{"hash": contract.Hash}, &a)
	return &drawer{moneyHouse: d, token: who.Token(), application: path, random: rand.New(rand.NewPCG(seed, 3))}
}

// live draws and repays until enough was moved.
func (p *drawer) live() {
	for p.moved.Load() < p.goal && !p.Failed() {
		if p.draw() != nil {
			return
		}
	}
}

// draw borrows, repays a part and then the rest.
func (p *drawer) draw() error {
	amount := money.Fen(100_000 + p.random.IntN(400_000))
	var l loan.Loan
	err := p.insist(p.application+"/draw", amount, &l, func() bool { return l.State == loan.Active })
	if err != nil || l.ID == "" {
		return err
	}
	p.took(movement{l.ID, false, amount})
	for _, rest := range []bool{false, true} {
		part := l.Principal / 3
		if rest {
			part = l.Outstanding - l.Credit
		}
		owed := l.Outstanding - l.Credit
		var after loan.Loan
		err := p.insist("/farmer/loans/"+l.ID+"/repay", part, &after, func() bool { return after.Outstanding-after.Credit < owed })
		if err != nil || after.ID == "" {
			return err
		}
		l = after
		p.took(movement{l.ID, true, part})
	}
	if l.State != loan.Closed {
		p.Errorf("a loan that was repaid: %+v", l)
	}
	return nil
}

func (p *drawer) took(m movement) {
	p.moves = append(p.moves, m)
	p.moved.Add(1)
}

// insist asks for one movement, with one key, until the house tells its outcome. out stays
// empty when the bank refused.
func (p *drawer) insist(path string, amount money.Fen, out *loan.Loan, told func() bool) error {
	key := ident.New()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		status, body, err := p.post(path, key, amount)
		if err != nil {
			p.lost.Add(1)
			continue
		}
		var refused apptest.Problem
		switch {
		case status == http.StatusOK:
			if err := json.Unmarshal(body, out); err != nil {
				p.Errorf("%s: %v in %s", path, err, body)
				return err
			}
			if told() {
				return nil
			}
			continue
		case json.Unmarshal(body, &refused) != nil || status >= 500:
			continue
		case refused.Code == loan.ErrPayment.Code:
			*out = loan.Loan{}
			p.failed.Add(1)
			return nil
		}
		p.Errorf("%s of %s: %d %s", path, amount, status, body)
		return errNo
	}
	p.Errorf("%s of %s: no outcome in three minutes", path, amount)
	return errNo
}

func (p *drawer) post(path, key string, amount money.Fen) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	body := strings.NewReader(fmt.Sprintf(`{"amount":%d}`, amount))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/v1"+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Authorization", "Bearer "+p.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, b, err
}

// check compares what was acknowledged with the bank, the loans, the ledger and the funders.
func (d *moneyHouse) check() {
	officer := apptest.SignIn(d, d.url, "officer")
	apptest.Poll(d, 30*time.Second, "outcome of every order", func() bool {
		var open route.List[pay.Instruction]
		officer.Get("/officer/payments?outcome=unknown", &open)
		return len(open.Items) == 0
	})
	settled := d.settled()
	want := map[movement]int{}
	loans := map[string]bool{}
	for _, p := range d.people {
		for _, m := range p.moves {
			want[m]++
			loans[m.loan] = true
		}
	}
	var sum money.Fen
	booked := map[string]bool{}
	parties := map[string]money.Fen{}
	for id := range loans {
		var page struct {
			Loan     loan.Loan
			Events   []loan.Happening
			Payments []loan.Payment
		}
		officer.Get("/officer/loans/"+id, &page)
		var shares struct{ Lines []fund.ShareLine }
		officer.Get("/officer/loans/"+id+"/shares", &shares)
		held := map[string]money.Fen{} // lent by event
		for _, l := range shares.Lines {
			if l.Account == fund.Principal {
				held[l.Event] -= l.Amount
				parties[l.Party] -= l.Amount
			}
		}
		events := map[string]int{}
		for _, h := range page.Events {
			events[h.Event.ID]++
		}
		for _, p := range page.Payments {
			if p.Outcome != pay.Settled {
				continue
			}
			o, atBank := settled[p.ID]
			if !atBank || o.Amount != p.Amount || o.Direction != p.Direction || booked[p.ID] || events[p.ID] != 1 {
				d.Errorf("payment %s of %s: at the bank %t with %s, %d events", p.ID, p.Amount, atBank, o.Amount, events[p.ID])
			}
			booked[p.ID] = true
			want[movement{id, p.Direction == pay.In, p.Amount}]--
			if p.Direction == pay.In {
				sum += p.Amount
			} else {
				sum -= p.Amount
				if held[p.ID] != p.Amount {
					d.Errorf("the funders lent %s of the %s of %s", held[p.ID], p.Amount, p.ID)
				}
			}
		}
		var lent money.Fen
		for _, a := range held {
			lent += a
		}
		if lent != page.Loan.Outstanding {
			d.Errorf("loan %s: %s are out, the funders hold %s", id, page.Loan.Outstanding, lent)
		}
	}
	for m, n := range want {
		if n != 0 {
			d.Errorf("%+v is %+d times too few in the books", m, n)
		}
	}
	if len(booked) != len(settled) || int64(len(booked)) != d.moved.Load() {
		d.Errorf("%d acknowledged, %d in the books, %d at the bank", d.moved.Load(), len(booked), len(settled))
	}
	d.checkLedger(officer, sum)
}

// settled are the orders that the bank carried out, by number; none is there twice.
func (d *moneyHouse) settled() map[string]pay.Order {
	body, err := os.ReadFile(d.journal())
	if err != nil {
		d.Fatal(err)
	}
	out := map[string]pay.Order{}
	for line := range bytes.Lines(body) {
		var m struct {
			pay.Receipt
			Order pay.Order `json:"order"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			d.Fatal(err)
		}
		if m.Outcome != pay.Settled {
			continue
		}
		if _, twice := out[m.Order.ID]; twice {
			d.Errorf("the bank carried %s out twice", m.Order.ID)
		}
		out[m.Order.ID] = m.Order
	}
	return out
}

// checkLedger rebuilds the book, and reconciles the bank's statements with it.
func (d *moneyHouse) checkLedger(officer *apptest.Person, sum money.Fen) {
	audits, err := app.VerifyLedger(d.Context(), d.dsn)
	if err != nil || len(audits) != 1 || !audits[0].OK() {
		d.Fatalf("the ledger: %+v %v", audits, err)
	}
	bankOf, err := bank.Open(d.journal(), time.Now)
	if err != nil {
		d.Fatal(err)
	}
	defer bankOf.Close()
	out, in := bankOf.Moved()
	if in-out != sum {
		d.Errorf("the bank moved %s in and %s out, the loans %s", in, out, sum)
	}
	days := map[money.Date]bool{money.DateOf(time.Now()): true, money.DateOf(time.Now()) - 1: true}
	matched := 0
	var moved money.Fen
	for day := range days {
		file, err := bankOf.Statement(d.Context(), day)
		if err != nil {
			d.Fatal(err)
		}
		var r pay.Report
		officer.Upload("/officer/statements", map[string]string{"day": day.String()}, "bank.csv", file).Read(d, &r)
		if len(r.Differences) > 0 {
			d.Errorf("the bank's statement of %s and the books differ: %+v", day, r.Differences)
		}
		matched += r.Matched
		moved += r.Cash
	}
	if int64(matched) != d.moved.Load() || moved != sum {
		d.Errorf("%d of %d movements are on the bank's statements; the cash account moved by %s, the bank by %s", matched, d.moved.Load(), moved, sum)
	}
	d.Logf("%d movements reconciled; %d ledger entries; %s yuan out, %s in", matched, audits[0].Entries, out, in)
}
