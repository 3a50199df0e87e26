package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ContractFile holds the words of contracts in the catalogue.
const ContractFile = "contract.yaml"

// ErrWords is returned for contract words that cannot be used.
var ErrWords = fault.New(fault.Invalid, "contract.file", "the contract words are wrong: {why}")

// Languages of contracts.
var Languages = [2]string{"zh-CN", "en"}

// Words are the templates of contracts by language.
type Words struct {
	text    map[string]*template.Template
	methods map[string]map[string]string
}

// sheet is what a contract template can name. Amounts are yuan, rates per cent.
type sheet struct {
	Application, Borrower, Product, Purpose, Subject string
	Limit, Rate, PenaltyRate, Interest, Total        string
	Months                                           int
	Method, DayCount, Date                           string
	Rows                                             []loan.Instalment
}

// LoadWords reads contract.yaml and tries each template; it returns ErrWords.
func LoadWords(fsys fs.FS) (*Words, error) {
	b, err := fs.ReadFile(fsys, ContractFile)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	var f struct {
		Methods map[string]map[string]string `yaml:"methods"`
		Text    map[string]string            `yaml:"text"`
	}
	if err := yaml.Unmarshal(b, &f); err != nil {
		return nil, ErrWords.At(ContractFile).With("why", err)
	}
	w := &Words{text: map[string]*template.Template{}, methods: f.Methods}
	for _, lang := range Languages {
		if f.Text[lang] == "" {
			return nil, ErrWords.At(ContractFile).With("why", "give the text in "+lang)
		}
		t, err := template.New(lang).Option("missingkey=error").Parse(f.Text[lang])
		if err == nil {
			err = t.Execute(&strings.Builder{}, sheet{Rows: make([]loan.Instalment, 1)})
		}
		if err != nil {
			return nil, ErrWords.At(ContractFile).With("why", err)
		}
		for _, m := range []loan.Method{loan.EqualInstalments, loan.EqualPrincipal, loan.InterestFirst, loan.Bullet} {
			if f.Methods[string(m)][lang] == "" {
				return nil, ErrWords.At(ContractFile).With("why", "describe the method "+string(m)+" in "+lang)
			}
		}
		w.text[lang] = t
	}
	return w, nil
}

// Contract gives the signed contract, or for an offer the one to sign, in lang. Its text
// is the same whenever it is asked for, so that its hash stands. ErrNoContract.
func (s *Service) Contract(ctx context.Context, actor access.Actor, id, lang string) (Contract, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Contract{}, err
	}
	signed, err := s.cfg.Store.Contract(ctx, a.Tenant, id)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return signed, err
	}
	if a.State != Offered {
		return Contract{}, ErrNoContract.With("state", a.State)
	}
	return s.draft(ctx, a, lang)
}

// draft writes the contract of an offer.
func (s *Service) draft(ctx context.Context, a Application, lang string) (Contract, error) {
	lang = language(lang)
	p, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return Contract{}, err
	}
	d, err := s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID)
	if err != nil {
		return Contract{}, err
	}
	rows, err := indicative(a, p, d.MadeAt)
	if err != nil {
		return Contract{}, err
	}
	var interest money.Fen
	for _, r := range rows {
		interest += r.Interest
	}
	purpose := a.Purpose
	if purpose == "" {
		purpose = p.Purpose[lang]
	}
	var text strings.Builder
	err = s.cfg.Words.text[lang].Execute(&text, sheet{
		Application: a.ID, Borrower: a.UserName, Product: p.Name[lang], Purpose: purpose, Subject: a.SubjectName,
		Limit: a.Limit.String(), Rate: a.Rate.String(), PenaltyRate: p.PenaltyRate(a.Rate).String(),
		Interest: interest.String(), Total: (a.Limit + interest).String(), Months: a.TermMonths,
		Method: s.cfg.Words.methods[string(p.Method)][lang], DayCount: string(p.DayCount),
		Date: money.DateOf(d.MadeAt).String(), Rows: rows,
	})
	if err != nil {
		return Contract{}, fmt.Errorf("contract of %s: %w", a.ID, err)
	}
	return Contract{
		ApplicationID: a.ID, Text: text.String(), Hash: credit.Hash([]byte(text.String())),
		Limit: a.Limit, Rate: a.Rate, TermMonths: a.TermMonths, Method: string(p.Method),
	}, nil
}

func language(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return Languages[0]
	}
	return Languages[1]
}
