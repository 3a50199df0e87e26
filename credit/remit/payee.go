package remit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/product"
)

// File is where payees stand in the catalogue.
const File = "payees.yaml"

// FeePayee is who gets fees that are collected with loans.
type FeePayee struct {
	Code    string            `json:"code" yaml:"code"`
	Kind    cost.Payee        `json:"kind" yaml:"kind" enum:"guarantor,insurer,agency"`
	Name    map[string]string `json:"name" yaml:"name"` // by language
	Account string            `json:"account" yaml:"account"`
	Bank    string            `json:"bank" yaml:"bank"` // that keeps the account
}

// Payees are all of them, in the order of the file.
type Payees []FeePayee

// Find returns ErrPayee.
func (l Payees) Find(code string) (FeePayee, error) {
	i := slices.IndexFunc(l, func(p FeePayee) bool { return p.Code == code })
	if i < 0 {
		return FeePayee{}, ErrPayee.With("code", code)
	}
	return l[i], nil
}

// of is the code of who gets a fee of a kind for which its contract names somebody, or "".
func (l Payees) of(kind cost.Payee, to string) string {
	i := slices.IndexFunc(l, func(p FeePayee) bool { return p.Kind == kind })
	if to != "" || i < 0 {
		return to
	}
	return l[i].Code
}

// Load reads payees.yaml and checks it against the products: ErrFile.
func Load(fsys fs.FS, products []product.Product) (Payees, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("remit: %w", err)
	}
	list, err := Parse(b)
	if err != nil {
		return nil, err
	}
	for i := range products {
		if err := list.check(&products[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var (
	codeForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)
	accountForm = regexp.MustCompile(`^[0-9A-Za-z-]{4,40}$`)
)

// Parse reads the text of payees.yaml: ErrFile.
func Parse(text []byte) (Payees, error) {
	var f struct {
		Payees Payees `yaml:"payees"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrFile.At(File).With("item", "the file").With("why", err)
	}
	for i, p := range f.Payees {
		why := ""
		switch {
		case !codeForm.MatchString(p.Code):
			why = "a code has small letters, digits and underscores"
		case slices.IndexFunc(f.Payees, func(o FeePayee) bool { return o.Code == p.Code }) != i:
			why = "the code stands twice"
		case account(p.Kind) == "":
			why = "kind is guarantor, insurer or agency"
		case p.Name["zh-CN"] == "" || p.Name["en"] == "":
			why = "give it a name in zh-CN and en"
		case !accountForm.MatchString(p.Account) || p.Bank == "":
			why = "give the account that it is paid to, and the bank that keeps it"
		}
		if why != "" {
			return nil, ErrFile.At("%s: payees[%d]", File, i).With("item", p.Code).With("why", why)
		}
	}
	return f.Payees, nil
}

// check says whether everybody whom the fees of a product name can be paid. What a loan owes
// of a kind is kept in one account, so that all its fees of a kind go to one.
func (l Payees) check(p *product.Product) error {
	to := map[cost.Payee]string{}
	for i, f := range p.Fees {
		if f.Payee == cost.Bank && f.To == "" {
			continue
		}
		code := l.of(f.Payee, f.To)
		who, err := l.Find(code)
		why := ""
		switch before, known := to[f.Payee]; {
		case err != nil || who.Kind != f.Payee:
			why = fmt.Sprintf("there is no %s %q for it in %s", f.Payee, code, File)
		case known && before != code:
			why = fmt.Sprintf("all fees of a %s go to the same one", f.Payee)
		}
		if why != "" {
			return ErrFile.At("%s: %s.fees[%d].to", product.File, p.Code, i).With("item", f.Code).With("why", why)
		}
		to[f.Payee] = code
	}
	return nil
}
