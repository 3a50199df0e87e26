package cluster_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/party/cluster"
	"github.com/furrowcredit/furrow/chain/party/partytest"
)

type names []string

func (n names) Len() int          { return len(n) }
func (n names) Name(i int) string { return n[i] }

func ExampleNames() {
	r, err := cluster.Names(context.Background(), names{
		"浙江青穗农业科技有限公司", "青穗（浙江）农业科技有限责任公司", "浙江省 青穗农业科技有限公司", "江苏青穗农业科技有限公司",
	}, cluster.Options{})
	fmt.Println(r.First, r.Clusters(), err)
	// Output: [0 0 0 3] 2 <nil>
}

func TestNames(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		in   names
		want string
	}{
		"the only firm of a name without its place": {names{"临沂青穗农业有限公司", "青穗农业有限公司"}, "[0 0]"},
		"two firms might be meant":                  {names{"临沂青穗农业有限公司", "青穗农业有限公司", "寿光市青穗农业有限公司"}, "[0 1 2]"},
		"a short name":                              {names{"临沂青穗农业有限公司", "青穗农业"}, "[0 0]"},
		"a short name of two":                       {names{"临沂青穗农业有限公司", "寿光市青穗农业有限公司", "青穗农业"}, "[0 1 2]"},
		"characters that changed places":            {names{"临沂青穗农业有限公司", "临沂青穗农业有公限司"}, "[0 0]"},
		"another core is another firm":              {names{"临沂青穗农业有限公司", "临沂青禾农业有限公司"}, "[0 1]"},
		"another line of business is another firm":  {names{"临沂青穗农业有限公司", "临沂青穗农业科技有限公司"}, "[0 1]"},
		"blanks are nobody":                         {names{"", " ", "（）", "\u3000", "青穗农业有限公司", ""}, "[0 1 2 3 4 5]"},
		"one character":                             {names{"甲", "乙", "甲"}, "[0 1 2]"},
		"traditional characters":                    {names{"臺北青穗農業有限公司", "台北青穗农业有限公司"}, "[0 0]"},
	} {
		r, err := cluster.Names(t.Context(), c.in, cluster.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.First); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

type coded struct {
	names
	codes []string
}

func (c coded) Code(i int) string { return c.codes[i] }

// TestCodes: two credit codes are two firms, one code is one, and none tells nothing.
func TestCodes(t *testing.T) {
	t.Parallel()
	const a, b = "91350900587527783P", "91440300192317458F"
	for what, c := range map[string]struct {
		in   coded
		want string
	}{
		"one name, two codes":            {coded{names{"临沂青穗农业有限公司", "临沂青穗农业有限责任公司"}, []string{a, b}}, "[0 1]"},
		"one name, two codes, and none":  {coded{names{"临沂青穗农业有限公司", "临沂青穗农业公司", "临沂青穗农业有限责任公司"}, []string{a, "", b}}, "[0 1 2]"},
		"none beside one code":           {coded{names{"临沂青穗农业有限公司", "临沂青穗农业公司", "青穗农业"}, []string{"", a, " "}}, "[0 0 0]"},
		"a slip of the pen, two codes":   {coded{names{"临沂青穗农业有限公司", "临沂青穗农业有公限司"}, []string{a, b}}, "[0 1]"},
		"a short name with another code": {coded{names{"临沂青穗农业有限公司", "青穗农业"}, []string{a, b}}, "[0 1]"},
		"what joined passes its code on": {coded{names{"临沂青穗农业有限公司", "青穗农业有限公司", "青穗农业"}, []string{"", a, b}}, "[0 0 2]"},
		"one code, two names":            {coded{names{"临沂青穗农业有限公司", "寿光云岭茶业有限公司"}, []string{a, strings.ToLower(a)}}, "[0 0]"},
		"blank codes":                    {coded{names{"临沂青穗农业有限公司", "寿光云岭茶业有限公司"}, []string{"", " "}}, "[0 1]"},
		"a code that cannot be":          {coded{names{"临沂青穗农业有限公司", "寿光云岭茶业有限公司"}, []string{"000", "000"}}, "[0 1]"},
	} {
		r, err := cluster.Names(t.Context(), c.in, cluster.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.First); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

// TestLongNames: a name of any length neither crashes nor holds up the others.
func TestLongNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("青穗农业", 50_000)
	r, err := cluster.Names(t.Context(), names{long + "有限公司", long + "有限责任公司", "甲"}, cluster.Options{Dir: t.TempDir()})
	if err != nil || fmt.Sprint(r.First) != "[0 0 2]" {
		t.Error(err, r.First)
	}
}

// TestMadeUpNames: firms that are different stay apart, and their other writings
// find them; on one core and on two, alike.
func TestMadeUpNames(t *testing.T) {
	t.Parallel()
	src, err := partytest.New(40_000)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cluster.Names(t.Context(), src, cluster.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	whole := func(i int) string { return party.KeysOf(src.Name(i)).Whole }
	var firms, wrong, others, found int
	for i, first := range r.First {
		if src.Firm(i) == i {
			firms++
			if int(first) != i && whole(i) != whole(src.Firm(int(first))) {
				wrong++
			}
			continue
		}
		others++
		if first == r.First[src.Firm(i)] {
			found++
		} else if int(first) != i && whole(src.Firm(i)) != whole(src.Firm(int(first))) {
			wrong++
		}
	}
	t.Logf("%d firms, %d other writings: %d found, %d wrong; %v, %d open, %d hot, %.1f keys a name",
		firms, others, found, wrong, r.Merged, r.Open, r.Hot, float64(r.Keys)/float64(src.Len()))
	if found < others*6/10 {
		t.Errorf("%d of %d other writings found their firm, want six tenths", found, others)
	}
	if wrong*200 > found {
		t.Errorf("%d of %d joined wrongly, want at most one in 200", wrong, found+wrong)
	}
	again, err := cluster.Names(t.Context(), src, cluster.Options{Dir: t.TempDir(), Workers: 1})
	if err != nil || cmp.Diff(r, again) != "" {
		t.Error("the answer depends on the number of cores", err)
	}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	src, err := partytest.New(40_000)
	if err != nil {
		t.Fatal(err)
	}
	cost, err := cluster.Estimate(t.Context(), src, cluster.Options{Dir: t.TempDir()})
	if err != nil || cost.Time <= 0 || cost.Memory <= 0 {
		t.Fatal(err, cost)
	}
	r, err := cluster.Names(t.Context(), src, cluster.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if ratio := cost.KeysPerName * float64(src.Len()) / float64(r.Keys); ratio < 0.9 || ratio > 1.1 {
		t.Errorf("%.1f keys a name foretold, %d in all for %d names", cost.KeysPerName, r.Keys, src.Len())
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	src, err := partytest.New(50_000)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := cluster.Names(ctx, src, cluster.Options{Dir: dir}); err == nil {
		t.Error("a cancelled run ends well")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Error("temporary files are left", err, left)
	}
}
