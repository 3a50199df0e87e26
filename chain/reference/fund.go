package reference

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Transfer is money that one firm paid to another.
type Transfer struct {
	From, To string
	Date     string // "20230821"
	Amount   int64  // yuan, as the file has it
}

// Funds is a chain of firms, their products, what products go into, and transfers:
// the files Company.csv, Product.csv and Company_fundTrans_Company.csv.
type Funds struct {
	Names     map[string]string   // firm → name
	Products  map[string][]string // of a firm
	Feeds     map[string][]string // product → products that it goes into
	Transfers []Transfer
}

// ReadFunds reads the three files. It returns ErrNoFiles or ErrUnread with the place.
func ReadFunds(fsys fs.FS) (*Funds, error) {
	out := &Funds{Names: map[string]string{}, Products: map[string][]string{}, Feeds: map[string][]string{}}
	err := errors.Join(
		table(fsys, "Company.csv", []string{"id", "name", "product"}, func(r []string) error {
			out.Names[r[0]] = r[1]
			out.Products[r[0]] = parts(r[2])
			return nil
		}),
		table(fsys, "Product.csv", []string{"id", "hasSupplyChain"}, func(r []string) error {
			out.Feeds[r[0]] = append(out.Feeds[r[0]], parts(r[1])...)
			return nil
		}),
		table(fsys, "Company_fundTrans_Company.csv", []string{"srcId", "dstId", "transDate", "transAmt"}, func(r []string) error {
			amount, err := strconv.ParseInt(r[3], 10, 64)
			if err != nil || amount < 0 {
				return errors.New("the amount must be a whole number of yuan")
			}
			out.Transfers = append(out.Transfers, Transfer{r[0], r[1], r[2], amount})
			return nil
		}),
	)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// table reads columns of a CSV file by their names.
func table(fsys fs.FS, name string, columns []string, row func([]string) error) error {
	f, err := fsys.Open(name)
	if err != nil {
		return ErrNoFiles.At("%s", name).Because(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return ErrUnread.At("%s", name).Because(err)
	}
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = slices.Index(head, c); at[i] < 0 {
			return ErrUnread.At("%s", name).Because(errors.New("there is no column " + c))
		}
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ErrUnread.At("%s", name).Because(err)
		}
		line, _ := in.FieldPos(0)
		cells := make([]string, len(at))
		for i, k := range at {
			if k < len(record) {
				cells[i] = strings.TrimSpace(record[k])
			}
		}
		if err := row(cells); err != nil {
			return ErrUnread.At("%s:%d", name, line).Because(err)
		}
	}
}

func parts(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// MainSupply is a supplier for which a buyer is the main customer.
type MainSupply struct {
	Supplier string  `json:"supplier"`
	Buyer    string  `json:"buyer"`
	Material string  `json:"material"`
	Product  string  `json:"product"`
	Paid     int64   `json:"paid"`  // yuan, from the buyer
	Share    float64 `json:"share"` // of all money that came in to the supplier
}

// MainSupply finds the pairs of the rule mainSupply of the KAG supply-chain example:
// a product of the supplier goes into one of the buyer's, and more than half of the
// supplier's inflow comes from the buyer. One row a pair, in the order of their ids.
func (f *Funds) MainSupply() []MainSupply {
	type pair struct{ from, to string }
	paid, inflow := map[pair]int64{}, map[string]int64{}
	for _, t := range f.Transfers {
		paid[pair{t.From, t.To}] += t.Amount
		inflow[t.To] += t.Amount
	}
	out := []MainSupply{}
	for p, amount := range paid {
		if p.from == p.to || 2*amount <= inflow[p.to] {
			continue
		}
		if material, product, ok := f.goesInto(p.to, p.from); ok {
			out = append(out, MainSupply{p.to, p.from, material, product, amount, round(float64(amount) / float64(inflow[p.to]))})
		}
	}
	slices.SortFunc(out, func(a, b MainSupply) int {
		return strings.Compare(a.Supplier+"\x00"+a.Buyer, b.Supplier+"\x00"+b.Buyer)
	})
	return out
}

// goesInto finds a product of the supplier that goes into one of the buyer.
func (f *Funds) goesInto(supplier, buyer string) (material, product string, ok bool) {
	for _, m := range f.Products[supplier] {
		for _, p := range f.Products[buyer] {
			if slices.Contains(f.Feeds[m], p) {
				return m, p, true
			}
		}
	}
	return "", "", false
}
