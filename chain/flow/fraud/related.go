package fraud

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/furrowcredit/furrow/chain"
)

// Tie is what two firms have in common.
type Tie string

// Ties between firms.
const (
	SamePhone      Tie = "phone"
	SameAddress    Tie = "address"
	SameController Tie = "controller" // a firm that has the last word in both, or one of them in the other
	SamePerson     Tie = "person"     // one name as representative or controller of both
)

// Pair is a seller and a buyer that trade.
type Pair struct{ SellerID, BuyerID string }

// Related finds firms that one hand may hold: the seller and the buyer of a trade,
// and suppliers of one buyer, that share a phone, an address with a house number, or
// a controller. Blank fields tie nobody, and what more than Rules.SharedBy firms
// share is an agency's. One name of a person ties a seller to a buyer only when
// names are so rare among the firms that chance does not explain it: the expected
// number of chance hits, from the firms that do not trade with each other, is at
// most Rules.FalseDiscovery of the hits found. The findings come without documents:
// the caller has those of the firms.
func Related(firms []chain.Party, pairs []Pair, rules Rules) []chain.Finding {
	r := newRegister(firms)
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID))
	})
	pairs = slices.Compact(pairs)
	names := r.namesCount(pairs, rules.FalseDiscovery)
	var out []chain.Finding
	for _, p := range pairs {
		a, okA := r.at[p.SellerID]
		b, okB := r.at[p.BuyerID]
		if !okA || !okB || a == b {
			continue
		}
		ties, evidence := r.ties(a, b, rules.SharedBy)
		if names {
			if name := r.person(a, b); name != "" {
				ties = append(ties, string(SamePerson))
				evidence[string(SamePerson)] = name
			}
		}
		if len(ties) == 0 {
			continue
		}
		evidence["sides"], evidence["ties"] = "buyer_seller", strings.Join(ties, ", ")
		out = append(out, chain.Finding{Kind: chain.RelatedParties, Severity: chain.Warning, FirmIDs: []string{p.SellerID, p.BuyerID}, Evidence: evidence})
	}
	return append(out, r.suppliers(pairs, rules.SharedBy)...)
}

// record is what ties a firm to others; "" and nil tie nobody.
type record struct {
	firm           *chain.Party
	phone, address string
	people         []string
	master         int // the firm that has the last word, itself when none has
}

type register struct {
	at      map[string]int
	records []record
	phone   map[string][]int
	address map[string][]int
	people  map[string]int
}

func newRegister(firms []chain.Party) *register {
	r := &register{at: map[string]int{}, phone: map[string][]int{}, address: map[string][]int{}, people: map[string]int{}}
	byName := map[string]int{}
	for i := range firms {
		f := &firms[i]
		if _, twice := r.at[f.ID]; twice || f.MergedInto != "" {
			continue
		}
		n := len(r.records)
		r.at[f.ID] = n
		rec := record{firm: f, phone: phoneKey(f.Phone), address: addressKey(f.Address), master: n}
		for _, name := range []string{f.LegalRep, f.Controller} {
			if k := personKey(name); k != "" && !slices.Contains(rec.people, k) {
				rec.people = append(rec.people, k)
				r.people[k]++
			}
		}
		if rec.phone != "" {
			r.phone[rec.phone] = append(r.phone[rec.phone], n)
		}
		if rec.address != "" {
			r.address[rec.address] = append(r.address[rec.address], n)
		}
		for _, k := range []string{f.ID, f.USCC, textKey(f.Name)} {
			if k != "" {
				if _, taken := byName[k]; !taken || k == f.ID {
					byName[k] = n
				}
			}
		}
		r.records = append(r.records, rec)
	}
	r.resolve(byName)
	return r
}

// resolve follows controllers to the firm at the top. Ownership in a cycle has no
// top: all its firms get the one with the smallest id.
func (r *register) resolve(byName map[string]int) {
	up := make([]int, len(r.records))
	for i := range r.records {
		up[i] = i
		c := r.records[i].firm.Controller
		for _, k := range []string{c, strings.ToUpper(strings.TrimSpace(c)), textKey(c)} {
			if n, ok := byName[k]; ok && k != "" {
				up[i] = n
				break
			}
		}
	}
	state := make([]int8, len(up)) // 0 new, 1 on the way, 2 done
	for i := range up {
		var way []int
		v := i
		for state[v] == 0 {
			state[v] = 1
			way = append(way, v)
			v = up[v]
		}
		top := r.records[v].master
		if state[v] == 1 { // v closes a cycle, or is its own top
			top = v
			for w := up[v]; w != v; w = up[w] {
				if r.records[w].firm.ID < r.records[top].firm.ID {
					top = w
				}
			}
		}
		for _, w := range way {
			r.records[w].master, state[w] = top, 2
		}
	}
}

// ties lists the sure ties of two firms, with the shared value of each.
func (r *register) ties(a, b, sharedBy int) ([]string, map[string]string) {
	x, y := &r.records[a], &r.records[b]
	var ties []string
	evidence := map[string]string{}
	add := func(t Tie, value string) {
		ties = append(ties, string(t))
		evidence[string(t)] = value
	}
	if x.phone != "" && x.phone == y.phone && len(r.phone[x.phone]) <= sharedBy {
		add(SamePhone, mask(x.phone))
	}
	if x.address != "" && x.address == y.address && len(r.address[x.address]) <= sharedBy {
		add(SameAddress, x.firm.Address)
	}
	if x.master == y.master {
		add(SameController, r.records[x.master].firm.Name)
	} else if c := textKey(x.firm.Controller); c != "" && c == textKey(y.firm.Controller) && personKey(x.firm.Controller) == "" {
		add(SameController, x.firm.Controller)
	}
	return ties, evidence
}

// person returns a name that stands for both firms.
func (r *register) person(a, b int) string {
	for _, name := range r.records[a].people {
		if slices.Contains(r.records[b].people, name) {
			return name
		}
	}
	return ""
}

// namesCount says whether names of persons tell anything among these firms. Chance
// hits are expected at the rate at which firms that do not trade share a name.
func (r *register) namesCount(pairs []Pair, rate float64) bool {
	hits, trading := 0, 0
	for _, p := range pairs {
		a, okA := r.at[p.SellerID]
		b, okB := r.at[p.BuyerID]
		if !okA || !okB || a == b {
			continue
		}
		trading++
		if r.person(a, b) != "" {
			hits++
		}
	}
	var shared float64
	for _, n := range r.people {
		shared += float64(n) * float64(n-1) / 2
	}
	n := float64(len(r.records))
	others := n*(n-1)/2 - float64(trading)
	if hits == 0 || others <= 0 {
		return hits > 0
	}
	chance := max(0, shared-float64(hits)) / others * float64(trading)
	return chance <= rate*float64(hits)
}

// suppliers finds suppliers of one buyer that share a phone or an address: offers
// that only seem to come from several.
func (r *register) suppliers(pairs []Pair, sharedBy int) []chain.Finding {
	sells := map[string][]string{}
	for _, p := range pairs {
		sells[p.SellerID] = append(sells[p.SellerID], p.BuyerID)
	}
	type key struct{ buyer, firms string }
	found := map[key]*chain.Finding{}
	var order []key
	look := func(tie Tie, groups map[string][]int, show func(i int) string) {
		for _, value := range slices.Sorted(maps.Keys(groups)) {
			group := groups[value]
			if len(group) < 2 || len(group) > sharedBy {
				continue
			}
			byBuyer := map[string][]string{}
			for _, i := range group {
				id := r.records[i].firm.ID
				for _, b := range sells[id] {
					byBuyer[b] = append(byBuyer[b], id)
				}
			}
			for _, buyer := range slices.Sorted(maps.Keys(byBuyer)) {
				firms := distinct(byBuyer[buyer])
				if len(firms) < 2 || slices.Contains(firms, buyer) {
					continue
				}
				k := key{buyer, strings.Join(firms, "\x00")}
				if f := found[k]; f != nil {
					f.Evidence["ties"] += ", " + string(tie)
					f.Evidence[string(tie)] = show(group[0])
					continue
				}
				found[k] = &chain.Finding{
					Kind: chain.RelatedParties, Severity: chain.Warning, FirmIDs: append(firms, buyer),
					Evidence: map[string]string{"sides": "suppliers", "ties": string(tie), string(tie): show(group[0]), "suppliers": strconv.Itoa(len(firms))},
				}
				order = append(order, k)
			}
		}
	}
	look(SamePhone, r.phone, func(i int) string { return mask(r.records[i].phone) })
	look(SameAddress, r.address, func(i int) string { return r.records[i].firm.Address })
	slices.SortFunc(order, func(a, b key) int { return cmp.Or(cmp.Compare(a.buyer, b.buyer), cmp.Compare(a.firms, b.firms)) })
	var out []chain.Finding
	for _, k := range order {
		out = append(out, *found[k])
	}
	return out
}

// phoneKey is the digits of a phone number without the country's; "" for what is none.
func phoneKey(s string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, norm.NFKC.String(s))
	if len(digits) > 11 {
		digits = strings.TrimPrefix(strings.TrimPrefix(digits, "00"), "86")
	}
	if len(digits) < 7 || strings.Count(digits, digits[:1]) == len(digits) || strings.HasPrefix(digits, "1234567") {
		return "" // 0000000 and 12345678 are what people type when a form insists
	}
	return digits
}

// mask hides the middle of a phone number.
func mask(s string) string {
	return s[:3] + strings.Repeat("*", len(s)-7) + s[len(s)-4:]
}

// addressKey compares addresses without signs and width. One without a number is a
// village or a street that many have.
func addressKey(s string) string {
	k := textKey(s)
	if !strings.ContainsFunc(k, unicode.IsDigit) && !strings.ContainsAny(k, "号室栋幢") || len([]rune(k)) < 6 {
		return ""
	}
	return k
}

// personKey is the name of a person: two to four Chinese characters, or Latin words.
// What stands for nobody, or is a firm, is none.
func personKey(s string) string {
	k := textKey(s)
	n := len([]rune(k))
	switch {
	case n < 2, slices.Contains([]string{"未知", "暂无", "不详", "null", "none", "nil", "na"}, k), strings.Contains(k, "公司"), n > 3 && strings.ContainsAny(k[len(k)-3:], "厂社店行部院局会府团"):
		return ""
	case n > 4 && strings.ContainsFunc(k, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && !strings.Contains(s, "·"):
		return ""
	}
	return k
}

// textKey keeps letters and digits, half width, lower case.
func textKey(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}
