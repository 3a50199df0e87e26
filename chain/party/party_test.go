package party_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func ExampleCheck() {
	for _, code := range []string{"９１３５０９００ 587527783p", "91350900587527784P", "91350100M0001TGQXM"} {
		v := party.Check(code)
		fmt.Printf("%s %s %q\n", v.Code, v.Status, v.Reason)
	}
	// Output:
	// 91350900587527783P valid ""
	// 91350900587527784P invalid "check"
	// 91350100M0001TGQXM suspicious "early_series"
}

func ExampleSplit() {
	fmt.Printf("%+v\n", party.Split("山东省寿光市禾垄蔬菜种业有限公司"))
	// Output:
	// {Region:山东省寿光市 Core:禾垄 Trade:蔬菜种业 Form:有限公司}
}

func TestRealCodes(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(realdata.Dir(t, "chain"), "uscc.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	valid, suspicious := 0, 0
	for _, row := range rows[1:] {
		switch v := party.Check(row[0]); {
		case row[4] == "1" && v.Status == party.Valid:
			valid++
		case row[4] == "0" && v.Status == party.Suspicious:
			suspicious++
		default:
			t.Errorf("%s %s: %s %s", row[0], row[1], v.Status, v.Reason)
		}
		if v := party.CheckOrg(row[0][8:17]); v.Status != party.Valid {
			t.Errorf("organisation code of %s: %s", row[0], v.Reason)
		}
	}
	if valid != 77 || suspicious != 3 {
		t.Errorf("%d valid and %d suspicious codes, want 77 and 3", valid, suspicious)
	}
}

func TestCodeVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(realdata.Dir(t, "credit"), "cn_ids.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ids struct {
		USCC struct{ Valid, Invalid []string } `json:"uscc"`
		Org  struct{ Valid []string }          `json:"org_code"`
		ID   struct{ Valid, Invalid []string } `json:"resident_id"`
	}
	if err := json.Unmarshal(raw, &ids); err != nil {
		t.Fatal(err)
	}
	for _, code := range ids.USCC.Valid {
		if v := party.Check(code); v.Status != party.Valid {
			t.Errorf("%s is %s %s", code, v.Status, v.Reason)
		}
	}
	for _, code := range ids.USCC.Invalid {
		if v := party.Check(code); v.Status == party.Valid {
			t.Errorf("%s is valid", code)
		}
	}
	for _, code := range ids.Org.Valid {
		if v := party.CheckOrg(code); v.Status != party.Valid {
			t.Errorf("organisation code %s: %s", code, v.Reason)
		}
	}
	for _, code := range ids.ID.Valid {
		if v := party.Judge(code, today); v.Status != party.Valid || v.Kind != party.ResidentID {
			t.Errorf("resident id %s: %+v", code, v)
		}
	}
	for _, code := range ids.ID.Invalid {
		if v := party.Judge(code, today); v.Status != party.Bad || v.Kind != party.ResidentID {
			t.Errorf("resident id %s: %+v", code, v)
		}
	}
}

var today = time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	t.Parallel()
	resident := func(digits string) string { return digits + string(party.ResidentCheckChar(digits)) }
	for code, want := range map[string]string{
		"91350900587527783P":          "uscc valid ",
		"91350211M0000XUF46":          "uscc suspicious early_series",
		"91110108M0000XUF46":          "uscc invalid check", // not of the pilot province
		"M0000XUF-4":                  "org_code valid ",
		"ｍ0000xuf4":                   "org_code valid ",
		"M0000XUFA":                   "org_code invalid character",
		"M0000XUF5":                   "org_code invalid org_check",
		resident("11010519491231002"): "resident_id valid ",
		resident("11010520301231002"): "resident_id invalid date",
		resident("11010519490231002"): "resident_id invalid date",
		resident("99010519491231002"): "resident_id invalid region",
		"110105491231002":             "resident_id suspicious retired",
		"110105491331002":             "resident_id invalid date",
		"":                            "uscc invalid length",
		"一二三四五六":                      "uscc invalid length",
	} {
		v := party.Judge(code, today)
		if code == resident("99010519491231002") || code == resident("11010520301231002") || code == resident("11010519490231002") {
			v = party.CheckResident(code, today)
		}
		if got := fmt.Sprintf("%s %s %s", v.Kind, v.Status, v.Reason); got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for code, reason := range map[string]string{
		"":                    "length",
		"9135090058752778":    "length",
		"91350900587527783I":  "character",
		"9135090058752778-P":  "character",
		"91350900587527783p啊": "length",
	} {
		if v := party.Check(code); v.Status != party.Bad || v.Reason != reason {
			t.Errorf("%q: %s %s, want %s", code, v.Status, v.Reason, reason)
		}
	}
}

// TestOneMistypedCharacterIsSeen: both checks together see every single change.
func TestOneMistypedCharacterIsSeen(t *testing.T) {
	t.Parallel()
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	rapid.Check(t, func(t *rapid.T) {
		digit := rapid.SampledFrom([]rune(alphabet))
		body := "91" + rapid.StringMatching(`[0-9]{6}`).Draw(t, "region")
		org := rapid.StringMatching(`[0-9]{8}`).Draw(t, "org")
		body += org + string(party.OrgCheckChar(org))
		code := body + string(party.CheckChar(body))
		if v := party.Check(code); v.Status != party.Valid {
			t.Fatalf("%s: %+v", code, v)
		}
		r := []rune(code)
		i := rapid.IntRange(0, 17).Draw(t, "i")
		c := digit.Draw(t, "c")
		if r[i] == c {
			return
		}
		r[i] = c
		if v := party.Check(string(r)); v.Status == party.Valid {
			t.Fatalf("%s for %s is valid", string(r), code)
		}
	})
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"青穗（临溪）农业有限公司", "青穗(临溪)农业有限公司"},
		{"青穗农业 有限公司", "青穗农业有限公司"},
		{"ＡＢＣ食品有限公司", "abc食品有限公司"},
		{"青穗\u200b农业\u3000有限公司", "青穗农业有限公司"},
		{"青穗·临溪农业", "青穗临溪农业"},
	} {
		if a, b := party.Normalise(pair[0]), party.Normalise(pair[1]); a != b {
			t.Errorf("%q and %q differ: %q %q", pair[0], pair[1], a, b)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]party.Name{
		"比亚迪股份有限公司":      {Core: "比亚迪", Form: "股份有限公司"},
		"北京青穗科技发展有限责任公司": {Region: "北京", Core: "青穗", Trade: "科技发展", Form: "有限责任公司"},
		"临溪县丰岭养殖专业合作社":   {Region: "临溪县", Core: "丰岭", Trade: "养殖", Form: "专业合作社"},
		"广西壮族自治区柳丰糖厂":    {Region: "广西壮族自治区", Core: "柳丰糖", Form: "厂"},
		"":               {},
		"有限公司":           {Core: "有限", Form: "公司"},
	} {
		if d := cmp.Diff(want, party.Split(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestRealNamesKeepApart: no two listed firms get one key.
func TestRealNamesKeepApart(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(realdata.Dir(t, "chain"), "ckg_company.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c struct{ Code, Fullname string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		key := party.Normalise(c.Fullname)
		if other, ok := seen[key]; ok && other != strings.TrimSpace(c.Fullname) {
			t.Errorf("%q and %q have one key", other, c.Fullname)
		}
		seen[key] = strings.TrimSpace(c.Fullname)
		if n := party.Split(c.Fullname); n.Core == "" || !sameRunes(n.Region+n.Core+n.Trade+n.Form, key) {
			t.Errorf("%s splits to %+v", c.Fullname, n)
		}
	}
}

// sameRunes says that nothing was lost or made up, only moved.
func sameRunes(a, b string) bool {
	x, y := []rune(a), []rune(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

type registry []chain.Party

func (r registry) FirmsByUSCC(_ context.Context, _ string, codes []string) (map[string]chain.Party, error) {
	out := map[string]chain.Party{}
	for _, p := range r {
		if slices.Contains(codes, p.USCC) && p.USCC != "" {
			out[p.USCC] = p
		}
	}
	return out, nil
}

func (r registry) FirmsByName(_ context.Context, _ string, keys []string) (map[string][]chain.Party, error) {
	out := map[string][]chain.Party{}
	for _, p := range r {
		names := map[string]bool{p.NameKey: true}
		for _, name := range slices.Concat(p.FormerNames, p.ShortNames) {
			names[party.Normalise(name)] = true
		}
		for key := range names {
			if slices.Contains(keys, key) {
				out[key] = append(out[key], p)
			}
		}
	}
	return out, nil
}

func TestResolve(t *testing.T) {
	t.Parallel()
	firm := func(id, uscc, name string) chain.Party {
		return chain.Party{ID: id, Tenant: "t", USCC: uscc, Name: name, NameKey: party.Normalise(name)}
	}
	known := registry{
		firm("coded", "C1", "甲厂"), firm("bare", "", "乙厂"),
		firm("twin1", "", "丙厂"), firm("twin2", "", "丙厂"),
	}
	ctx := t.Context()
	r := party.NewResolver(known, "t")
	get := func(uscc, name string) string {
		t.Helper()
		p, err := r.Resolve(ctx, uscc, name)
		if err != nil {
			t.Fatalf("%s %s: %v", uscc, name, err)
		}
		return p.ID
	}
	if get("C1", "another name") != "coded" {
		t.Error("the code does not win over the name")
	}
	if get("", "甲 厂") != "coded" || get("", "乙厂") != "bare" {
		t.Error("the only firm of a name is not found")
	}
	if len(r.Touched()) != 0 {
		t.Errorf("finding changed %v", r.Touched())
	}
	if get("C2", "乙厂") != "bare" || get("C2", "") != "bare" {
		t.Error("a firm known by name was not given its code")
	}
	if id := get("C3", "甲厂"); id == "coded" {
		t.Error("a namesake of another code is taken for the same firm")
	}
	fresh := get("", "丁厂")
	if get("", "丁厂") != fresh || get("C4", "丁厂") != fresh {
		t.Error("a new firm is made twice")
	}
	for _, uscc := range []string{"", "C5"} {
		if _, err := r.Resolve(ctx, uscc, "丙厂"); !errors.Is(err, party.ErrAmbiguous) {
			t.Errorf("a tie gives %v", err)
		}
	}
	var got []string
	for _, p := range r.Touched() {
		got = append(got, p.USCC+" "+p.Name)
	}
	if d := cmp.Diff([]string{"C2 乙厂", "C3 甲厂", "C4 丁厂"}, got); d != "" {
		t.Error(d)
	}
}

func TestResolveByOtherNames(t *testing.T) {
	t.Parallel()
	firm := func(id, uscc, name string, former, short []string) chain.Party {
		return chain.Party{
			ID: id, Tenant: "t", USCC: uscc, Name: name, NameKey: party.Normalise(name), FormerNames: former, ShortNames: short,
		}
	}
	merged := firm("merged", "", "戊厂", nil, nil)
	merged.MergedInto = "whole"
	known := registry{
		firm("renamed", "", "青穗农业有限公司", []string{"青禾农业有限公司"}, []string{"青穗"}),
		firm("heir", "C1", "青禾农业有限公司", nil, []string{"禾丰"}),
		firm("rival", "", "禾丰粮油有限公司", nil, []string{"禾丰"}),
		firm("blank", "C9", "", nil, []string{""}),
		merged, firm("whole", "C2", "戊厂", nil, nil),
	}
	ctx := t.Context()
	r := party.NewResolver(known, "t")
	for name, want := range map[string]string{"青 穗": "renamed", "青禾农业有限公司": "heir", "戊厂": "whole"} {
		if p, err := r.Resolve(ctx, "", name); err != nil || p.ID != want {
			t.Errorf("%s is %s (%v), want %s", name, p.ID, err, want)
		}
	}
	if _, err := r.Resolve(ctx, "", "禾丰"); !errors.Is(err, party.ErrAmbiguous) {
		t.Errorf("a short name of two firms gives %v", err)
	}
	for _, blank := range []string{"", " \u3000", "（）"} {
		if _, err := r.Resolve(ctx, "", blank); !errors.Is(err, party.ErrNameless) {
			t.Errorf("%q gives %v", blank, err)
		}
	}
	first, err := r.Resolve(ctx, "C7", "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Resolve(ctx, "C8", "")
	if err != nil || first.ID == second.ID || first.ID == "blank" {
		t.Errorf("two firms without a name are one: %v", err)
	}
}

// TestPrefetchAsksOnce: what was asked for in bulk is not asked for again.
func TestPrefetchAsksOnce(t *testing.T) {
	t.Parallel()
	reg := &counting{registry: registry{{ID: "a", USCC: "C1", Name: "甲厂", NameKey: "甲厂"}}}
	r := party.NewResolver(reg, "t")
	if err := r.Prefetch(t.Context(), []string{"C1", "C1", "C2", ""}, []string{"甲厂", "乙厂", ""}); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{{"C1", "甲厂"}, {"", "甲 厂"}, {"C2", "乙厂"}, {"", "乙厂"}} {
		if _, err := r.Resolve(t.Context(), row[0], row[1]); err != nil {
			t.Fatal(err)
		}
	}
	if reg.asked != 2 {
		t.Errorf("%d questions, want one for codes and one for names", reg.asked)
	}
}

type counting struct {
	registry
	asked int
}

func (c *counting) FirmsByUSCC(ctx context.Context, tenant string, codes []string) (map[string]chain.Party, error) {
	c.asked++
	return c.registry.FirmsByUSCC(ctx, tenant, codes)
}

func (c *counting) FirmsByName(ctx context.Context, tenant string, keys []string) (map[string][]chain.Party, error) {
	c.asked++
	return c.registry.FirmsByName(ctx, tenant, keys)
}

func FuzzNormalise(f *testing.F) {
	f.Add("北京（甲）科技有限公司")
	f.Fuzz(func(t *testing.T, s string) {
		key := party.Normalise(s)
		if again := party.Normalise(key); again != key {
			t.Errorf("%q: %q becomes %q", s, key, again)
		}
		n := party.Split(s)
		if !sameRunes(n.Region+n.Core+n.Trade+n.Form, key) {
			t.Errorf("%q splits to %+v", s, n)
		}
		party.Check(s)
		party.CheckOrg(s)
		party.Judge(s, today)
	})
}
