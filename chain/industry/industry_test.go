package industry_test

import (
	"testing"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain/industry"
)

func shipped(t testing.TB) *industry.Catalogue {
	t.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := industry.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShippedCatalogue(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	t.Logf("%d directions, %d sub-chains, %d nodes", len(c.Directions()), len(c.Chains("")), len(c.Nodes()))
}
