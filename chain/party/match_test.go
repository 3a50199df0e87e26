package party_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func ExampleMatcher_Match() {
	firms := []party.Entry{
		{Name: "安徽青穗农业科技股份有限公司"}, {Name: "江苏禾丰粮油集团有限公司"}, {Name: "山东禾丰种业股份有限公司"},
		{Name: "临沂云岭茶业有限公司", Others: []string{"岭上春"}},
	}
	m := party.NewIndex(firms).Matcher()
	for _, name := range []string{"青穗（安徽）農業科技股份公司", "皖青穗农业科技", "禾丰", "岭上春", "蓝天航空有限公司", "　"} {
		got := m.Match(name)
		answer := got.Reason
		if got.Accepted {
			answer = firms[got.Best].Name
		}
		fmt.Printf("%q: %s\n", name, answer)
	}
	// Output:
	// "青穗（安徽）農業科技股份公司": 安徽青穗农业科技股份有限公司
	// "皖青穗农业科技": 安徽青穗农业科技股份有限公司
	// "禾丰": tie
	// "岭上春": 临沂云岭茶业有限公司
	// "蓝天航空有限公司": unknown
	// "\u3000": blank
}

func TestSplitOrders(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"青穗（北京）科技有限公司":            "北京 青穗 科技 有限公司",
		"青穗科技（北京）有限公司":            "北京 青穗 科技 有限公司",
		"北京青穗科技有限公司":              "北京 青穗 科技 有限公司",
		"山東省壽光市青穗蔬菜種業有限公司":        "山东省寿光市 青穗 蔬菜种业 有限公司",
		"青穗控股集团股份有限公司":            " 青穗  控股集团股份有限公司",
		"青穗实业股份有限公司（集团）":          " 青穗 实业 股份有限公司集团",
		"青穗农业有限公司临沂分公司":           " 青穗 农业 有限公司临沂分公司",
		"临沂青穗投资合伙企业（有限合伙）":        "临沂 青穗 投资 合伙企业有限合伙",
		"青岛食品股份有限公司":              "青岛 食品  股份有限公司",
		"穗":                       " 穗  ",
		"北京":                      " 北京  ",
		"（北京）":                    " 北京  ",
		"华润市政工程有限公司":              " 华润 市政工程 有限公司",
		strings.Repeat("穗", 9999): " " + strings.Repeat("穗", 9999) + "  ",
	} {
		n := party.Split(name)
		if got := strings.Join([]string{n.Region, n.Core, n.Trade, n.Form}, " "); got != want {
			t.Errorf("%.40s: %.60s, want %.60s", name, got, want)
		}
	}
}

// TestMatchAbstains: when two firms fit alike, when nobody fits, or when there is
// nothing to go by, the answer is that it cannot be told.
func TestMatchAbstains(t *testing.T) {
	t.Parallel()
	m := party.NewIndex([]party.Entry{
		{Name: "临沂青穗农业有限公司"}, {Name: "寿光市青穗农业有限公司"}, {Name: "云岭茶业有限公司"}, {Name: "云岭茶业有限公司"}, {Name: ""}, {Name: " "},
	}).Matcher()
	for name, reason := range map[string]string{
		"青穗农业有限公司":                   "tie",
		"云岭茶业有限公司":                   "tie",
		"":                           "blank",
		"()":                         "blank",
		"潍坊蓝天机械制造有限公司":               "unknown",
		"穗":                          "unknown",
		strings.Repeat("蓝天", 20_000): "unknown",
	} {
		if got := m.Match(name); got.Accepted || got.Reason != reason {
			t.Errorf("%.30s: %+v, want %s", name, got, reason)
		}
	}
}

func company(tb testing.TB) (names []string) {
	tb.Helper()
	f, err := os.Open(filepath.Join(realdata.Dir(tb, "chain"), "ckg_company.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c struct{ Fullname string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			tb.Fatal(err)
		}
		names = append(names, c.Fullname)
	}
	return names
}

func rows(tb testing.TB, name string) [][]string {
	tb.Helper()
	f, err := os.Open(filepath.Join(realdata.Dir(tb, "chain"), name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	return all[1:]
}

func index(names []string) (*party.Matcher, map[string]int) {
	entries, at := make([]party.Entry, len(names)), map[string]int{}
	for i, name := range names {
		entries[i], at[name] = party.Entry{Name: name}, i
	}
	return party.NewIndex(entries).Matcher(), at
}

// tally counts answers.
type tally struct{ names, top, accepted, right int }

func (k *tally) add(got party.Match, want int) {
	k.names++
	if got.Best == want {
		k.top++
	}
	if got.Accepted {
		k.accepted++
		if got.Best == want {
			k.right++
		}
	}
}

// chosen says whether a firm is of the half on which the ways of writing were chosen;
// the other half only tests them.
func chosen(name string) bool {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()>>7&1 == 0
}

// TestRealNames holds the matcher to what it reaches on real names of listed firms,
// of which a cosine of bigrams reaches 0.920 for short ones.
func TestRealNames(t *testing.T) {
	t.Parallel()
	m, at := index(company(t))
	all, short, tested, testedShort := &tally{}, &tally{}, &tally{}, &tally{}
	known := rows(t, "names.csv")
	for i, found := range matchAll(t, m, known) {
		r := known[i]
		got, want, brief := found, at[r[1]], r[3] == "real_short"
		all.add(got, want)
		if brief {
			short.add(got, want)
		}
		if !chosen(r[1]) {
			tested.add(got, want)
			if brief {
				testedShort.add(got, want)
			}
		}
	}
	for _, c := range []struct {
		what        string
		part, whole int
		least       float64
	}{
		{"of all names the best is right", all.top, all.names, 0.987},
		{"of short names the best is right", short.top, short.names, 0.975},
		{"of the accepted are right", all.right, all.accepted, 0.995},
		{"of all names are accepted", all.accepted, all.names, 0.92},
		{"of all names of the other half the best is right", tested.top, tested.names, 0.985},
		{"of short names of the other half the best is right", testedShort.top, testedShort.names, 0.973},
		{"of the accepted of the other half are right", tested.right, tested.accepted, 0.995},
	} {
		got := float64(c.part) / float64(c.whole)
		t.Logf("%.4f %s", got, c.what)
		if got < c.least {
			t.Errorf("%.4f %s, want %.3f", got, c.what, c.least)
		}
	}
}

// matchAll asks for the first column of rows as one list.
func matchAll(tb testing.TB, m *party.Matcher, rows [][]string) []party.Match {
	tb.Helper()
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r[0]
	}
	found, err := m.MatchAll(tb.Context(), names)
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

// TestListTellsApart: a firm that one short name of a list surely means is passed over for another short name, but not for a piece of it; a full name
// says nothing of short ones.
func TestListTellsApart(t *testing.T) {
	t.Parallel()
	tea, machines := party.Entry{Name: "临沂云岭茶业有限公司"}, party.Entry{Name: "济南云岭电梯有限公司"}
	named := party.Entry{Name: tea.Name, Others: []string{"岭上春"}}
	for _, c := range []struct {
		what  string
		firms []party.Entry
		list  []string
		best  int // of the last name of the list
	}{
		{"alone it may be either", []party.Entry{tea, machines}, []string{"云岭股份"}, 0},
		{"the list names the first", []party.Entry{tea, machines}, []string{"云岭茶业", "云岭股份"}, 1},
		{"alone it may be either", []party.Entry{machines, tea}, []string{"云岭股份"}, 0},
		{"the list names the first", []party.Entry{machines, tea}, []string{"云岭电梯", "云岭股份"}, 1},
		{"the list names the second", []party.Entry{machines, tea}, []string{"云岭茶业", "云岭股份"}, 0},
		{"a former name does not speak against it", []party.Entry{named, machines}, []string{"岭上春", "云岭股份"}, 0},
		{"a piece is the same name", []party.Entry{tea, machines}, []string{"云岭茶业", "云岭"}, 0},
		{"a full name says nothing", []party.Entry{tea, machines}, []string{"临沂云岭茶业有限公司", "云岭股份"}, 0},
	} {
		found, err := party.NewIndex(c.firms).MatchAll(t.Context(), c.list)
		if err != nil {
			t.Fatal(err)
		}
		if got := found[len(found)-1]; got.Best != c.best {
			t.Errorf("%s, %v of %v: %+v", c.what, c.list, c.firms, got)
		}
	}
}

// TestHabits: of firms that share a brand, a short name means the one whose other words
// people leave out, a firm that is called after its place keeps it, and the letter of a
// province means the firms of the province before those of its cities. A share under
// special treatment is of a firm that is called as firms were when it was listed.
func TestHabits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, want, other string }{
		{"青穗股份", "山东青穗实业股份有限公司", "青穗证券股份有限公司"},
		{"青穗证券", "青穗证券股份有限公司", "山东青穗实业股份有限公司"},
		{"青穗科技", "青穗科技股份有限公司", "青穗电工技术发展股份有限公司"},
		{"禾丰", "禾丰股份有限公司", "禾丰有限责任公司"},
		{"临沂食品", "临沂食品股份有限公司", "青穗食品股份有限公司"},
		{"皖高速", "安徽省高速公路发展股份有限公司", "合肥高速公路股份有限公司"},
		{"湘电股份", "湘潭电机股份有限公司", "衡阳电气股份有限公司"},
		{"*ST青穗", "山东青穗实业股份有限公司", "山东青穗化工股份有限公司"},
		{"青穗B股", "山东青穗食品股份有限公司(集团)", "山东青穗食品股份有限公司"},
		{"青穗退", "山东青穗化工股份有限公司", "山东青穗智能股份有限公司"},
	} {
		m, at := index([]string{c.other, c.want})
		if got := m.Match(c.asked); got.Best != at[c.want] {
			t.Errorf("%s: %+v, want %s", c.asked, got, c.want)
		}
	}
}

// TestHardNegatives: firms that share a brand are not taken for each other, though
// the one that is asked for is not in the registry.
func TestHardNegatives(t *testing.T) {
	t.Parallel()
	pairs, merged := rows(t, "names_hard_negatives.csv"), 0
	asked := map[string]bool{}
	for _, p := range pairs {
		asked[p[0]] = true
		alone, _ := index([]string{p[1]})
		if alone.Match(p[0]).Accepted {
			merged++
		}
	}
	if merged*200 > len(pairs) {
		t.Errorf("%d of %d pairs are merged", merged, len(pairs))
	}
	var others []string
	for _, name := range company(t) {
		if !asked[name] {
			others = append(others, name)
		}
	}
	m, _ := index(others)
	merged = 0
	for name := range asked {
		if m.Match(name).Accepted {
			merged++
		}
	}
	if merged*100 > len(asked) {
		t.Errorf("%d of %d firms that are not there are found", merged, len(asked))
	}
}

// TestMatchHolds: scores are probabilities, an exact name is found, and the answer
// does not depend on what was asked before.
func TestMatchHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`(北京|山东省|)(青|穗|禾|丰|云){2,3}(农业|科技|茶业)?(有限公司|股份有限公司|)`), 1, 8, party.Normalise).Draw(t, "names")
		m, at := index(names)
		for _, name := range names {
			if got := m.Match(name); !got.Accepted || got.Best != at[name] || got.Score != 1 {
				t.Fatalf("%s of %v: %+v", name, names, got)
			}
		}
		asked := rapid.StringMatching(`[北京山东青穗禾丰云农业科技（）有限公司a股*s]{0,12}`).Draw(t, "asked")
		first := m.Match(asked)
		if first.Score < 0 || first.Score > 1 || first.Accepted != (first.Reason == "") {
			t.Fatalf("%q of %v: %+v", asked, names, first)
		}
		again, _ := index(names)
		if got := again.Match(asked); got != first {
			t.Fatalf("%q of %v: %+v, then %+v", asked, names, first, got)
		}
	})
}
