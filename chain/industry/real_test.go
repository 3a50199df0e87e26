package industry_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// swDirections are the directions that a SW level-1 industry may honestly belong to,
// by the first two digits of its code; industries of services, finance, property
// trade and so on have none.
var swDirections = map[string]string{
	"11": "agrifood", "22": "chemicals textile newenergy", "23": "construction", "24": "chemicals newenergy electronics", "27": "electronics newenergy",
	"28": "automotive", "33": "electronics", "34": "agrifood", "35": "textile", "36": "agrifood construction chemicals",
	"37": "medical", "41": "newenergy", "61": "construction", "62": "construction", "63": "newenergy machinery",
	"64": "machinery", "65": "machinery electronics", "71": "electronics", "73": "electronics", "74": "chemicals construction", "75": "chemicals machinery",
	"76": "machinery construction", "77": "chemicals medical",
}

// listed reads the products, weighted by revenue, and the industry of listed firms.
func listed(t testing.TB) (products map[string][]industry.Item, sw map[string]string) {
	dir := realdata.Dir(t, "chain")
	products, sw = map[string][]industry.Item{}, map[string]string{}
	each(t, filepath.Join(dir, "ckg_company_product.jsonl"), func(line []byte) {
		var v struct {
			Code    string  `json:"company_code"`
			Product string  `json:"product"`
			Weight  float64 `json:"weight"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Weight > 0 && v.Weight <= 1 {
			products[v.Code] = append(products[v.Code], industry.Item{Text: v.Product, Weight: v.Weight})
		}
	})
	each(t, filepath.Join(dir, "ckg_company_industry.jsonl"), func(line []byte) {
		var v struct {
			Code     string `json:"company_code"`
			Industry string `json:"industry_code"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		sw[v.Code] = v.Industry[:2]
	})
	return products, sw
}

func each(t testing.TB, path string, f func([]byte)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f(lines.Bytes())
	}
}

// TestListedFirms: firms whose industry belongs to a direction are mounted, mostly in
// it, and a mount that claims more confidence is right more often.
func TestListedFirms(t *testing.T) {
	t.Parallel()
	products, sw := listed(t)
	m := shipped(t).Matcher()
	firms, mounted, right, others, silent := 0, 0, 0, 0, 0
	var bins [5]struct{ n, right int }
	for code, items := range products {
		want := swDirections[sw[code]]
		p := m.Place(industry.Firm{Products: items})
		if want == "" {
			others++
			if len(p.Mounts) == 0 {
				silent++
			}
			continue
		}
		firms++
		if len(p.Mounts) == 0 {
			continue
		}
		mounted++
		ok := strings.Contains(want, strings.Split(p.Mounts[0].Node, ".")[0])
		b := &bins[min(4, int(p.Mounts[0].Confidence*5))]
		b.n++
		if ok {
			right++
			b.right++
		}
	}
	t.Logf("%d firms with products in an industry of the nine directions: %d mounted (%.3f), %d in its direction (%.3f); %d of %d others not mounted",
		firms, mounted, float64(mounted)/float64(firms), right, float64(right)/float64(mounted), silent, others)
	if float64(mounted) < 0.9*float64(firms) || float64(right) < 0.75*float64(mounted) {
		t.Error("too few")
	}
	if lo, hi := bins[2], bins[4]; lo.right*hi.n > hi.right*lo.n {
		t.Error("surer mounts are right less often")
	}
	for i, b := range bins {
		if b.n > 0 {
			t.Logf("confidence %.1f-%.1f: %d firms, %.3f in the direction", float64(i)/5, float64(i+1)/5, b.n, float64(b.right)/float64(b.n))
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	products, _ := listed(b)
	var texts []string
	for _, items := range products {
		for _, it := range items {
			texts = append(texts, it.Text)
		}
	}
	m := shipped(b).Matcher()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Match(texts[i%len(texts)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}
