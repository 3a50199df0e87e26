package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
)

// File is the chart of accounts in the catalogue.
const File = "accounts.yaml"

// ErrChart is returned for a chart of accounts that cannot be used.
var ErrChart = fault.New(fault.Invalid, "ledger.chart", "the chart of accounts is wrong: {why}")

// Class of an account in the balance sheet.
type Class string

// Classes.
const (
	Asset     Class = "asset"
	Liability Class = "liability"
	Equity    Class = "equity"
	Income    Class = "income"
	Expense   Class = "expense"
	Memo      Class = "memo" // outside the balance sheet: its postings balance among themselves
)

// Limit is a rule that every sub-account of an account obeys, what is held included.
type Limit string

// Limits.
const (
	Free           Limit = ""
	DebitsLimited  Limit = "debits_must_not_exceed_credits"
	CreditsLimited Limit = "credits_must_not_exceed_debits"
)

// Account of the chart: catalog/accounts.yaml.
type Account struct {
	Code    string            `json:"code" yaml:"code"`
	Class   Class             `json:"class" yaml:"class"`
	Name    map[string]string `json:"name" yaml:"name"`                 // by language: "zh-CN", "en"
	Parent  string            `json:"parent,omitempty" yaml:"parent"`   // heading of the balance sheet
	Heading bool              `json:"heading,omitempty" yaml:"heading"` // sums the accounts beneath it
	Limit   Limit             `json:"limit,omitempty" yaml:"limit"`
}

// Chart is the list of accounts that may be posted to.
type Chart []Account

// LoadChart reads accounts.yaml; it returns ErrChart.
func LoadChart(fsys fs.FS) (Chart, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return ParseChart(b)
}

// ParseChart reads a chart from its YAML; it returns ErrChart.
func ParseChart(b []byte) (Chart, error) {
	var f struct {
		Accounts Chart `yaml:"accounts"`
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrChart.At(File).With("why", err)
	}
	seen := map[string]Account{}
	for _, a := range f.Accounts {
		if _, twice := seen[a.Code]; twice || !a.sound() {
			return nil, ErrChart.At(File).With("why", "account "+a.Code+" needs a code of its own, a class, names in zh-CN and en, and a limit only if it has a known one")
		}
		seen[a.Code] = a
	}
	for _, a := range f.Accounts {
		if err := parents(seen, a); err != nil {
			return nil, err
		}
	}
	return f.Accounts, nil
}

func (a Account) sound() bool {
	return a.Code != "" && len(a.Code) <= maxText && a.Name["zh-CN"] != "" && a.Name["en"] != "" &&
		slices.Contains([]Class{Asset, Liability, Equity, Income, Expense, Memo}, a.Class) &&
		slices.Contains([]Limit{Free, DebitsLimited, CreditsLimited}, a.Limit) && (!a.Heading || a.Limit == Free)
}

// parents checks the way from a up to its topmost heading.
func parents(all map[string]Account, a Account) error {
	at := a
	for range all {
		if at.Parent == "" {
			return nil
		}
		up, ok := all[at.Parent]
		if !ok || !up.Heading || up.Class != a.Class {
			return ErrChart.At(File).With("why", "the parent of account "+at.Code+" must be a heading of the same class")
		}
		at = up
	}
	return ErrChart.At(File).With("why", "account "+a.Code+" stands beneath itself")
}

// Account finds by code.
func (c Chart) Account(code string) (Account, bool) {
	i := slices.IndexFunc(c, func(a Account) bool { return a.Code == code })
	if i < 0 {
		return Account{}, false
	}
	return c[i], true
}
