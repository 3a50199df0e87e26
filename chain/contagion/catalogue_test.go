package contagion_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain/contagion"
)

// TestCatalogueOfInputs: what stops whom, by the built-in catalogue.
func TestCatalogueOfInputs(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	in, err := contagion.LoadInputs(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		supplier, buyer string
		want            contagion.Need
	}{
		{"A0111", "C1310", contagion.Essential},  // wheat to the mill
		{"C3670", "C3611", contagion.Essential},  // parts to the car maker
		{"C3611", "C3670", contagion.Useful},     // but not the other way
		{"D4411", "C1310", contagion.Essential},  // power to a factory
		{"D4411", "F5112", contagion.Useful},     // and to a shop
		{"H6210", "C3611", contagion.Negligible}, // the canteen
		{"", "C3611", contagion.Useful},          // nobody knows what it makes
		{"C2614", "", contagion.Useful},          // nor who buys it
		{"C3825", "D4415", contagion.Useful},     // modules to a power station
		{"C2319", "C1491", contagion.Negligible}, // labels
		{"C1320", "A0313", contagion.Essential},  // feed
		{"A0514", "A0131", contagion.Useful},     // services to a cotton farm
	} {
		if got := in.Need(c.supplier, c.buyer); got != c.want {
			t.Errorf("%s to %s: %v, want %v", c.supplier, c.buyer, got, c.want)
		}
	}
	for row, place := range map[string]string{"36,C36,essential": "2:1", "C36,C3,essential": "2:5", "C36,C36,always": "2:9"} {
		_, err := contagion.LoadInputs(fstest.MapFS{contagion.InputsFile: {Data: []byte("supplier_sector,buyer_sector,essential\n" + row + "\n")}})
		if !errors.Is(err, contagion.ErrCell) || !strings.Contains(err.Error(), "inputs.csv:"+place) {
			t.Errorf("%q: %v", row, err)
		}
	}
	if _, err := contagion.LoadInputs(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
