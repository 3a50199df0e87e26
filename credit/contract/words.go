// Package contract makes the paper of a loan and keeps who signed it: a PDF that is the
// same bytes for the same terms, signatures that name what was seen and hash the one
// before, and the mark of the house over them.
package contract

import (
	"fmt"
	"io/fs"
	"strings"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/fault"
)

// File holds the words of contracts in the catalogue.
const File = "contract.yaml"

// ErrWords is returned for contract words that cannot be used.
var ErrWords = fault.New(fault.Invalid, "contract.file", "the contract words are wrong: {why}")

// Languages of contracts.
var Languages = [2]string{"zh-CN", "en"}

// Language is the one of Languages for a reader who prefers lang.
func Language(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return Languages[0]
	}
	return Languages[1]
}

// said is a text by language.
type said map[string]string

// Words are the templates of contracts, and what they call things, by language.
type Words struct {
	text map[string]*template.Template
	file struct {
		Lender     said            `yaml:"lender"`
		Complaints said            `yaml:"complaints"`
		Page       said            `yaml:"page"`
		Guarantee  said            `yaml:"guarantee"`
		Methods    map[string]said `yaml:"methods"`
		Parts      map[string]said `yaml:"parts"`
		Payees     map[string]said `yaml:"payees"`
		Moments    map[string]said `yaml:"moments"`
		Conditions map[string]said `yaml:"conditions"`
		Text       said            `yaml:"text"`
	}
}

// Sheet is what a contract template can name. Amounts are yuan, rates per cent; the lender
// and the complaints' address come from the file itself.
type Sheet struct {
	Application, Borrower, Product, Purpose, Subject string
	Lender, Complaints                               string
	Limit, Rate, PenaltyRate, Interest, Total        string
	Months                                           int
	Method, DayCount, Date                           string
	Rows                                             []schedule.Row
	// SimpleRate is the yearly cost without compounding, IRR the internal rate of return
	// with it, both with all fees (PBOC Announcement 2021 No. 3).
	SimpleRate, IRR string
	Fees            []Fee
	FeeTotal        string
	Tranches        []Tranche // empty: all at once
	Revolving       bool      // drawn again and again
	Directed        bool      // the money goes to the seller
	Goods           []string  // that it may buy
	Sureties        []string  // who answers besides
	SuretyShare     string    // of what is owed, per cent
	Declaration     string    // what each of them agrees to; from the file itself
	Consents        []Consent
	CoolingDays     int // in which an unused contract may be given back and a loan repaid as if never made
}

// Tranche is a part of the money: what for, how much, from when to when it can be drawn, and
// what must hold ("" for nothing).
type Tranche struct {
	Nr                                 int
	Name, Amount, On, Until, Condition string
}

// Fee is one cost beside the interest: what for, who gets it, when, and how much in all.
type Fee struct{ Name, Payee, When, Amount string }

// Consent is what the borrower let the lender read.
type Consent struct {
	Part string // in the reader's language
	Text string // SHA-256 of the words, hex
	Date string
}

// LoadWords reads contract.yaml and tries each template; it returns ErrWords.
func LoadWords(fsys fs.FS) (*Words, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	w := &Words{text: map[string]*template.Template{}}
	if err := yaml.Unmarshal(b, &w.file); err != nil {
		return nil, ErrWords.At(File).With("why", err)
	}
	for _, lang := range Languages {
		if why := w.lacks(lang); why != "" {
			return nil, ErrWords.At(File).With("why", why+" in "+lang)
		}
		t, err := template.New(lang).Option("missingkey=error").Parse(w.file.Text[lang])
		if err == nil {
			err = t.Execute(&strings.Builder{}, Sheet{
				Rows: make([]schedule.Row, 1), Fees: make([]Fee, 1), Tranches: make([]Tranche, 2), Goods: make([]string, 1),
				Sureties: make([]string, 1), Consents: make([]Consent, 1), Directed: true, Revolving: true, CoolingDays: 1,
			})
		}
		if err != nil {
			return nil, ErrWords.At(File).With("why", err)
		}
		w.text[lang] = t
	}
	return w, nil
}

// lacks says what is missing in a language, "" for nothing.
func (w *Words) lacks(lang string) string {
	for what, s := range map[string]said{
		"give the text": w.file.Text, "name the lender": w.file.Lender,
		"say where complaints go": w.file.Complaints, "say how pages are numbered": w.file.Page,
		"say what a guarantor agrees to": w.file.Guarantee,
	} {
		if s[lang] == "" {
			return what
		}
	}
	for _, m := range []schedule.Method{schedule.EqualInstalments, schedule.EqualPrincipal, schedule.InterestFirst, schedule.Bullet} {
		if w.file.Methods[string(m)][lang] == "" {
			return "describe the method " + string(m)
		}
	}
	for _, p := range []cost.Payee{cost.Bank, cost.Guarantor, cost.Insurer, cost.Agency} {
		if w.file.Payees[string(p)][lang] == "" {
			return "name the payee " + string(p)
		}
	}
	for _, m := range []cost.Moment{cost.Signing, cost.Drawdown, cost.Yearly, cost.Instalment} {
		if w.file.Moments[string(m)][lang] == "" {
			return "describe the moment " + string(m)
		}
	}
	if w.file.Conditions[string(loan.CropGrows)][lang] == "" {
		return "describe the condition " + string(loan.CropGrows)
	}
	return ""
}

// Condition describes what must hold before a tranche goes out; "" for nothing.
func (w *Words) Condition(c, lang string) string { return w.file.Conditions[c][lang] }

// Payee names who gets a fee.
func (w *Words) Payee(p, lang string) string { return w.file.Payees[p][lang] }

// Moment describes when a fee is charged.
func (w *Words) Moment(m, lang string) string { return w.file.Moments[m][lang] }

// Method describes a way of repayment.
func (w *Words) Method(m schedule.Method, lang string) string { return w.file.Methods[string(m)][lang] }

// Part names a part of the evidence, or gives its code.
func (w *Words) Part(part, lang string) string {
	if name := w.file.Parts[part][lang]; name != "" {
		return name
	}
	return part
}

// Declaration is what a guarantor agrees to in signing, and its SHA-256. The contract
// has the same words.
func (w *Words) Declaration(lang string) (text, hash string) {
	text = w.file.Guarantee[lang]
	return text, credit.Hash([]byte(text))
}

// Write fills in the contract: its exact words, and their SHA-256.
func (w *Words) Write(lang string, s Sheet) (text, hash string, err error) {
	s.Lender, s.Complaints, s.Declaration = w.file.Lender[lang], w.file.Complaints[lang], w.file.Guarantee[lang]
	var b strings.Builder
	if err := w.text[lang].Execute(&b, s); err != nil {
		return "", "", fmt.Errorf("contract of %s: %w", s.Application, err)
	}
	return b.String(), credit.Hash([]byte(b.String())), nil
}

// Paper is what is printed of a contract in a language. Its file carries the day of the
// offer, so that the same words make the same bytes whenever they are printed.
func (w *Words) Paper(lang, number, text, hash string, at time.Time) Paper {
	title, _, _ := strings.Cut(text, "\n")
	return Paper{
		Title: title + " " + number, Text: text, Header: w.file.Lender[lang], Number: number,
		Footer: "SHA-256 " + hash, Page: w.file.Page[lang], At: at,
	}
}
