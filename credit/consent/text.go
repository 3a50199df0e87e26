package consent

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
)

// File holds the words in the catalogue.
const File = "consent.yaml"

// Wording is what a person agrees to for one part of the evidence.
type Wording struct {
	Part    string `json:"part" yaml:"part"`
	Purpose string `json:"purpose" yaml:"purpose"`
	Version string `json:"version" yaml:"version"`
	// Separate says that it is agreed to by itself, as the law asks for sensitive data.
	Separate bool              `json:"separate" yaml:"separate"`
	Text     map[string]string `json:"text" yaml:"text"` // by language: "zh-CN", "en"
	Hash     map[string]string `json:"hash" yaml:"-"`    // SHA-256 of each, hex
}

func (t Wording) says(hash string) bool {
	for _, h := range t.Hash {
		if h == hash {
			return true
		}
	}
	return false
}

// Wordings are all words that are asked for.
type Wordings []Wording

func (t Wordings) of(purpose, part string) (Wording, bool) {
	i := slices.IndexFunc(t, func(x Wording) bool { return x.Purpose == purpose && x.Part == part })
	if i < 0 {
		return Wording{}, false
	}
	return t[i], true
}

// Answers agree to the parts in a language, as a borrower who agrees would. Parts that
// have no text are left out.
func (t Wordings) Answers(lang string, parts ...string) []Agreement {
	var out []Agreement
	for _, p := range parts {
		if x, known := t.of(CreditDecision, p); known {
			out = append(out, Agreement{Part: p, Text: x.Hash[lang]})
		}
	}
	return out
}

// All agrees in a language to a decision and to every part that a product reads.
func (t Wordings) All(lang string, p product.Product) []Agreement {
	ask := []string{Decision}
	for _, n := range p.Needs() {
		if part := Of(n.Part); !slices.Contains(ask, part) {
			ask = append(ask, part)
		}
	}
	return t.Answers(lang, ask...)
}

// Parts are those that can be agreed to.
var parts = []string{Decision, "crop", "herd", "standing", "bureau", "bank"}

// Of is the part of consent that opens a part of the evidence: a forecast of sales is
// made of trade. It is "" for what the bank keeps itself.
func Of(part string) string {
	switch part {
	case "turnover":
		return "standing"
	case "crop", "herd", "standing", "bureau", "bank":
		return part
	}
	return ""
}

// Load reads consent.yaml; every part needs its words in both languages. ErrFile.
func Load(fsys fs.FS) (Wordings, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	return Parse(b)
}

// Parse reads the text of consent.yaml; see Load.
func Parse(b []byte) (Wordings, error) {
	var f struct {
		Wordings Wordings `yaml:"texts"`
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, ErrFile.At(File).With("why", err)
	}
	for i, t := range f.Wordings {
		place := fmt.Sprintf("%s, text %d", File, i+1)
		switch {
		case !slices.Contains(parts, t.Part):
			return nil, ErrFile.At("%s", place).With("why", "part must be decision, crop, herd, standing, bureau or bank")
		case t.Purpose != CreditDecision && t.Purpose != PostLoan:
			return nil, ErrFile.At("%s", place).With("why", "purpose must be "+CreditDecision+" or "+PostLoan)
		case t.Purpose == PostLoan && t.Part != "bureau" && t.Part != "bank":
			return nil, ErrFile.At("%s", place).With("why", "after the loan only bureau and bank are asked for")
		case t.Version == "":
			return nil, ErrFile.At("%s", place).With("why", "give it a version")
		case t.Text["zh-CN"] == "" || t.Text["en"] == "":
			return nil, ErrFile.At("%s", place).With("why", "give the text in zh-CN and en")
		case slices.IndexFunc(f.Wordings, func(o Wording) bool { return o.Part == t.Part && o.Purpose == t.Purpose }) != i:
			return nil, ErrFile.At("%s", place).With("why", "the part "+t.Part+" stands twice for one purpose")
		}
		f.Wordings[i].Hash = map[string]string{}
		for lang, words := range t.Text {
			f.Wordings[i].Hash[lang] = credit.Hash([]byte(words))
		}
	}
	for _, p := range parts {
		if _, there := f.Wordings.of(CreditDecision, p); !there {
			return nil, ErrFile.At(File).With("why", "the part "+p+" has no text")
		}
	}
	return f.Wordings, nil
}
