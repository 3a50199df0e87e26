package flow

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// window is how many days a document may lie from its invoice, first to last.
func (l *ledger) window(f Flow) (first, last int) {
	switch f {
	case Trade:
		return -l.rules.OrderDays, 15 // orders are entered late at times
	case Logistics:
		return -l.rules.DeliveryDays, l.rules.DeliveryDays
	case Money:
		return -l.rules.OrderDays, l.rules.PaymentDays
	default:
		return -15, l.rules.PaymentDays
	}
}

func (l *ledger) match() Matching {
	for f := range flows {
		l.parts[f] = make([][]Part, len(l.invoices))
		l.open[f] = make([]money.Fen, len(l.invoices))
		for i, e := range l.invoices {
			l.open[f][i] = e.left
		}
	}
	for f := range flows {
		if len(l.invoices) == 0 || len(l.pools[f]) == 0 {
			continue
		}
		l.byName(f)
		l.byAmount(f)
		l.bySum(f)
	}
	l.onAccount()
	out := Matching{Void: l.void, Proofs: make([]Proof, len(l.invoices))}
	for i, e := range l.invoices {
		p := &out.Proofs[i]
		*p = Proof{Invoice: e.doc, Net: e.left, Back: l.back[i], NotDue: l.notDue(e)}
		for f := range flows {
			p.Parts[f] = l.parts[f][i]
			p.full[f] = int64(l.open[f][i]) <= slack(e.left, l.rules.TolerancePermille)
		}
	}
	l.findGaps(out.Proofs)
	out.Gaps = l.gaps
	return out
}

// notDue says whether a payment of an invoice is not to be missed yet.
func (l *ledger) notDue(e *entry) bool {
	if e.day == noDay {
		return false
	}
	if due, err := money.ParseDate(e.doc.Due); err == nil {
		return int(due)+l.rules.DueGraceDays >= l.today
	}
	return e.day+l.rules.PaymentDays >= l.today
}

// give lets an invoice take of a document what both have left.
func (l *ledger) give(f Flow, invoice int, e *entry, by Basis) {
	amount := min(l.open[f][invoice], e.left)
	if amount <= 0 {
		return
	}
	l.open[f][invoice] -= amount
	e.left -= amount
	l.parts[f][invoice] = append(l.parts[f][invoice], Part{e.doc, amount, by})
}

// byName matches what names the invoice, then its orders, then its contracts.
func (l *ledger) byName(f Flow) {
	steps := []struct {
		by       Basis
		invoice  func(*entry) []string
		document func(*entry) []string
	}{
		{ByInvoice, func(e *entry) []string { return e.names(true) }, func(e *entry) []string { return e.invoice }},
		{ByOrder, func(e *entry) []string { return e.order }, func(e *entry) []string {
			if f == Trade {
				return e.own()
			}
			return e.order
		}},
		{ByContract, func(e *entry) []string { return e.frame }, func(e *entry) []string {
			if e.doc.Kind == chain.Contract {
				return e.own()
			}
			return e.frame
		}},
	}
	for _, s := range steps {
		invoices := map[string][]int{}
		for i, e := range l.invoices {
			for _, k := range s.invoice(e) {
				invoices[k] = append(invoices[k], i)
			}
		}
		if len(invoices) == 0 {
			continue
		}
		documents := map[string][]*entry{}
		var keys []string
		for _, e := range l.pools[f] {
			for _, k := range s.document(e) {
				if len(invoices[k]) == 0 {
					continue
				}
				e.claimed = true
				if len(documents[k]) == 0 {
					keys = append(keys, k)
				}
				documents[k] = append(documents[k], e)
			}
		}
		for _, k := range keys {
			l.share(f, invoices[k], documents[k], s.by)
		}
	}
}

// share gives documents to invoices of one name: equal amounts first, then the
// oldest to the oldest.
func (l *ledger) share(f Flow, invoices []int, documents []*entry, by Basis) {
	equal := map[money.Fen][]*entry{}
	for _, e := range documents {
		equal[e.left] = append(equal[e.left], e)
	}
	for _, i := range invoices {
		need := l.open[f][i]
		if list := equal[need]; need > 0 && len(list) > 0 {
			equal[need] = list[1:]
			l.give(f, i, list[0], by)
		}
	}
	at := 0
	for _, i := range invoices {
		for ; l.open[f][i] > 0 && at < len(documents); at++ {
			if l.give(f, i, documents[at], by); documents[at].left > 0 {
				break
			}
		}
	}
}

// loose says whether a document may be matched by value: it has something left and
// names nothing that tells its invoice.
func loose(e *entry) bool {
	return e.left > 0 && e.left < frame && !e.claimed && e.day != noDay && len(e.invoice) == 0
}

// fit says whether an invoice and a loose document do not speak against each other:
// both name an order, or a contract, and not the same one (or they had been matched).
func (l *ledger) fit(f Flow, invoice, e *entry) bool {
	if len(invoice.order) > 0 && (f == Trade && e.doc.Kind == chain.Order || len(e.order) > 0) {
		return false
	}
	if len(invoice.frame) > 0 && (e.doc.Kind == chain.Contract || len(e.frame) > 0) {
		return false
	}
	return l.goodsFit(invoice, e)
}

// bucket holds the loose documents of one amount that are alike to all invoices.
type bucket struct {
	amount money.Fen
	list   []*entry // by day
	live   *skip
}

// first takes the oldest document of days from..to out of the bucket.
func (b *bucket) first(from, to int) *entry {
	at, _ := slices.BinarySearchFunc(b.list, from, func(e *entry, day int) int { return cmp.Compare(e.day, day) })
	if at = b.live.after(at); at == len(b.list) || b.list[at].day > to {
		return nil
	}
	b.live.drop(at)
	return b.list[at]
}

// byAmount matches one document to one invoice by amount, date and goods: equal
// amounts first, then those within the tolerance, nearest first. Within a window of
// equal length for all, the oldest document to the oldest invoice matches the most.
func (l *ledger) byAmount(f Flow) {
	type like struct {
		amount                 money.Fen
		goods                  int
		order, frame, contract bool
	}
	at := map[like]int{}
	var buckets []*bucket
	for _, e := range l.pools[f] {
		if !loose(e) {
			continue
		}
		k := like{amount: e.left, goods: e.goods, order: len(e.order) > 0, frame: len(e.frame) > 0, contract: e.doc.Kind == chain.Contract}
		n, ok := at[k]
		if !ok {
			n = len(buckets)
			at[k] = n
			buckets = append(buckets, &bucket{amount: e.left})
		}
		buckets[n].list = append(buckets[n].list, e)
	}
	if len(buckets) == 0 {
		return
	}
	for _, b := range buckets {
		b.live = newSkip(len(b.list))
	}
	slices.SortStableFunc(buckets, func(a, b *bucket) int { return cmp.Compare(a.amount, b.amount) })
	first, last := l.window(f)
	try := func(i int, b *bucket) bool {
		inv := l.invoices[i]
		if !l.fit(f, inv, b.list[0]) {
			return false
		}
		e := b.first(inv.day+first, inv.day+last)
		if e != nil {
			l.give(f, i, e, ByAmount)
		}
		return e != nil
	}
	search := func(amount money.Fen) int {
		n, _ := slices.BinarySearchFunc(buckets, amount, func(b *bucket, a money.Fen) int { return cmp.Compare(b.amount, a) })
		return n
	}
	equal := func(i int, amount money.Fen) bool {
		for n, tries := search(amount), 0; n < len(buckets) && buckets[n].amount == amount && tries < maxTries; n, tries = n+1, tries+1 {
			if try(i, buckets[n]) {
				return true
			}
		}
		return false
	}
	for i, inv := range l.invoices {
		need := l.open[f][i]
		if need <= 0 || inv.day == noDay {
			continue
		}
		if equal(i, need) || l.open[f][i] != inv.left || need == inv.doc.Amount {
			continue
		}
		equal(i, inv.doc.Amount) // what came before a red-letter invoice is of the amount before it
	}
	for i, inv := range l.invoices {
		need := l.open[f][i]
		if need <= 0 || inv.day == noDay || int64(need) <= slack(inv.left, l.rules.TolerancePermille) {
			continue
		}
		high := search(need)
		low := high - 1
		for range maxTries {
			below, above := low >= 0 && near(buckets[low].amount, need, l.rules.TolerancePermille), high < len(buckets) && near(buckets[high].amount, need, l.rules.TolerancePermille)
			if !below && !above {
				break
			}
			n := high
			if below && (!above || need-buckets[low].amount < buckets[high].amount-need) {
				n = low
				low--
			} else {
				high++
			}
			if try(i, buckets[n]) {
				break
			}
		}
	}
}

// longest run of documents that make one amount together.
const longestRun = 31

// bySum matches several documents that make the amount of one invoice, and several
// invoices that make the amount of one document: a statement of the month, parts of a delivery.
func (l *ledger) bySum(f Flow) {
	first, last := l.window(f)
	var docs []*entry
	for _, e := range l.pools[f] {
		if loose(e) {
			docs = append(docs, e)
		}
	}
	var open []int
	for i, e := range l.invoices {
		if e.day != noDay && l.open[f][i] == e.left && e.left > 0 {
			open = append(open, i)
		}
	}
	if len(docs) == 0 || len(open) == 0 {
		return
	}
	left := line{len(docs), func(i int) int { return docs[i].day }, func(i int) money.Fen { return docs[i].left }, newSkip(len(docs))}
	for _, i := range open {
		inv := l.invoices[i]
		run := left.sum(inv.day+first, inv.day, inv.day+last, l.open[f][i], l.rules.SumTolerance, func(n int) bool { return l.fit(f, inv, docs[n]) })
		for _, n := range run {
			l.give(f, i, docs[n], BySum)
			left.live.drop(n)
		}
	}
	open = slices.DeleteFunc(open, func(i int) bool { return l.open[f][i] != l.invoices[i].left })
	right := line{len(open), func(n int) int { return l.invoices[open[n]].day }, func(n int) money.Fen { return l.open[f][open[n]] }, newSkip(len(open))}
	for n, e := range docs {
		if left.live.after(n) != n {
			continue
		}
		run := right.sum(e.day-last, e.day, e.day-first, e.left, l.rules.SumTolerance, func(n int) bool { return l.fit(f, l.invoices[open[n]], e) })
		for _, n := range run {
			l.give(f, open[n], e, BySum)
			right.live.drop(n)
		}
	}
}

// line is amounts along a time.
type line struct {
	n      int
	day    func(int) int
	amount func(int) money.Fen
	live   *skip
}

// sum finds neighbours that make target together: the newest up to day at, or the
// oldest from day from, or all of the month of at or of the month before. Only such
// runs are tried, because among all runs of a busy pair some fit by chance.
func (s line) sum(from, at, to int, target, tolerance money.Fen, fits func(int) bool) []int {
	search := func(day int) int {
		lo, hi := 0, s.n
		for lo < hi {
			if mid := (lo + hi) / 2; s.day(mid) < day {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return lo
	}
	grow := func(start, limit int, step func(int) int, end func(int) bool, whole bool) []int {
		var run []int
		var total money.Fen
		for n, tries := start, 0; !end(n) && tries < limit; n, tries = step(n), tries+1 {
			if !fits(n) {
				continue
			}
			run = append(run, n)
			total += s.amount(n)
			if total > target+tolerance {
				return nil
			}
			if !whole && len(run) > 1 && total >= target-tolerance {
				return run
			}
		}
		if whole && len(run) > 1 && total >= target-tolerance {
			return run
		}
		return nil
	}
	back := func(n int) int { return s.live.before(n - 1) }
	on := func(n int) int { return s.live.after(n + 1) }
	if run := grow(s.live.before(search(at+1)-1), longestRun, back, func(n int) bool { return n < 0 || s.day(n) < from }, false); run != nil {
		return run
	}
	if run := grow(s.live.after(search(from)), longestRun, on, func(n int) bool { return n >= s.n || s.day(n) > to }, false); run != nil {
		return run
	}
	for months := range 2 {
		start, end := month(at, -months)
		if run := grow(s.live.after(search(max(start, from))), 8*longestRun, on, func(n int) bool { return n >= s.n || s.day(n) > min(end, to) }, true); run != nil {
			return run
		}
	}
	return nil
}

// onAccount spreads payments that name nothing over the oldest open invoices: who
// buys on a running account pays round sums.
func (l *ledger) onAccount() {
	at := 0
	for _, e := range l.pools[Money] {
		if !loose(e) || len(e.order) > 0 || len(e.frame) > 0 {
			continue
		}
		for at < len(l.invoices) && (l.open[Money][at] <= 0 || l.invoices[at].day < e.day-l.rules.PaymentDays) {
			at++
		}
		for i := at; i < len(l.invoices) && e.left > 0 && l.invoices[i].day <= e.day+l.rules.OrderDays; i++ {
			l.give(Money, i, e, ByAccount)
		}
	}
}
