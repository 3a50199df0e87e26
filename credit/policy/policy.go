// Package policy turns evidence into a decision by rules that a bank writes as data:
// catalog/policy/*.yaml. Conditions are expressions over the features, compiled and type
// checked when the file is read, so that deciding is fast and cannot fail on missing
// evidence. The same evidence, product, policy and models always give the same decision.
//
// docs/formats/policy.md describes the file.
package policy

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with policies.
var (
	ErrFile    = fault.New(fault.Invalid, "policy.file", "the policy {file} is wrong: {why}")
	ErrUnknown = fault.New(fault.Invalid, "policy.unknown", "there is no policy {name}")
)

// Effects of a rule, in the order in which reasons are told.
const (
	Refuse = "refuse"
	Refer  = "refer"
	Lower  = "lower"
	Raise  = "raise"
	Info   = "info"
)

// Format is the newest form of the file. Files without a format are of the first, and
// decide as they always did.
const Format = 2

// Policy is one compiled file.
type Policy struct {
	Name    string
	Version string
	Subject credit.SubjectKind
	Source  []byte // the file with all that it extends, as hashed
	Hash    string // SHA-256 of Source, hex
	// Extends is the policy that this one was laid over, and Industries, beginnings of
	// codes of GB/T 4754, the applicants for whom it is taken instead of that.
	Extends    string
	Industries []string

	id       string
	format   int
	base     base
	factors  []factor
	caps     []capped
	round    money.Fen
	price    []priced
	points   int
	score    []scored
	rules    []rule
	texts    map[string]text
	early    []*node // what the policy computes before the limit, in order
	late     []*node // and after
	slots    [4]int  // how many of each kind
	outs     int
	bounds   []bound
	warnings []Problem
	bound    sync.Map // *score.Model to *boundModel
	lever    sync.Map // of models in force to []lever
	capMu    sync.RWMutex
	capTold  map[capKey]map[string]string
}

// ID names the exact policy: "plot@2026.1:" and the first 16 digits of its hash.
func (p *Policy) ID() string { return p.id }

// Models are the names of the models that the policy asks, each once.
func (p *Policy) Models() []string {
	var out []string
	for _, n := range slices.Concat(p.early, p.late) {
		if n.score != nil && !slices.Contains(out, n.score.model) {
			out = append(out, n.score.model)
		}
	}
	return out
}

// Warnings are what looks wrong and yet can be used.
func (p *Policy) Warnings() []Problem { return p.warnings }

type text struct {
	EN string `yaml:"en"`
	ZH string `yaml:"zh"`
}

type (
	base struct {
		told told
		fen  *code
	}
	factor struct {
		told told
		own  bool // goes with the policy's own base, not with a formula of the product
		bp   *code
		rows []bpRow
	}
	bpRow struct {
		when *code // nil always holds
		bp   int64
		set  *ready // the reason, where it is always the same
	}
	capped struct {
		told   told
		effect string
		when   *code // nil always holds
		fen    *code
	}
	priced struct {
		told told
		when *code
		bp   int64
		by   *code // instead of bp
	}
	scored struct {
		when   *code
		points int
	}
	rule struct {
		told   told
		effect string
		weight int
		when   *code
	}
)

// coded is what every part with a reason has.
type coded struct {
	Code src   `yaml:"code"`
	Args pairs `yaml:"args"`
	text `yaml:",inline"`
}

// document is the YAML form.
type document struct {
	Name       string             `yaml:"name"`
	Version    string             `yaml:"version"`
	Format     int                `yaml:"format"`
	Subject    credit.SubjectKind `yaml:"subject"`
	Extends    src                `yaml:"extends"` // only before it is resolved
	Over       string             `yaml:"over"`    // what it extends, once resolved
	Industries []string           `yaml:"industries"`
	Values     pairs              `yaml:"values"`
	Tables     []tableFile        `yaml:"tables"`
	Thresholds []thresholdFile    `yaml:"thresholds"`
	Scores     []scoreFile        `yaml:"scores"`
	Limit      struct {
		Base struct {
			coded `yaml:",inline"`
			Fen   src `yaml:"fen"`
		} `yaml:"base"`
		Factors []struct {
			coded   `yaml:",inline"`
			OwnBase bool `yaml:"own_base"`
			BP      src  `yaml:"bp"`
			Rows    []struct {
				When src   `yaml:"when"`
				BP   int64 `yaml:"bp"`
			} `yaml:"rows"`
		} `yaml:"factors"`
		Caps       []capFile `yaml:"caps"`
		Allowances []capFile `yaml:"allowances"`
		RoundFen   money.Fen `yaml:"round_fen"`
	} `yaml:"limit"`
	Rate []struct {
		coded `yaml:",inline"`
		When  src `yaml:"when"`
		BP    src `yaml:"bp"`
	} `yaml:"rate"`
	Score struct {
		Base int `yaml:"base"`
		Rows []struct {
			When   src `yaml:"when"`
			Points int `yaml:"points"`
		} `yaml:"rows"`
	} `yaml:"score"`
	Rules []struct {
		coded  `yaml:",inline"`
		Effect string `yaml:"effect"`
		Weight int    `yaml:"weight"`
		When   src    `yaml:"when"`
	} `yaml:"rules"`
}

type capFile struct {
	coded  `yaml:",inline"`
	Effect string `yaml:"effect"`
	When   src    `yaml:"when"`
	Fen    src    `yaml:"fen"`
}

// thresholdFile is a value that depends on product, county and industry.
type thresholdFile struct {
	Name src `yaml:"name"`
	Type src `yaml:"type"`
	Rows []struct {
		Product  string `yaml:"product"`
		Region   string `yaml:"region"`
		Industry string `yaml:"industry"`
		Value    src    `yaml:"value"`
	} `yaml:"rows"`
}

// scoreFile names a model and the bands of its answer.
type scoreFile struct {
	Name  src    `yaml:"name"`
	Model string `yaml:"model"`
	When  src    `yaml:"when"`
	By    src    `yaml:"by"`
	Bands []struct {
		Test src    `yaml:"test"`
		Band string `yaml:"band"`
	} `yaml:"bands"`
}

// Parse reads, checks and compiles one policy that extends none; name is for messages.
// It returns ErrFile with every mistake of the file and its place.
func Parse(name string, source []byte) (*Policy, error) {
	p, problems := compileSource(name, source)
	if p == nil {
		return nil, refusal(name, problems)
	}
	return p, nil
}

func refusal(name string, problems []Problem) error {
	var why []string
	for _, p := range problems {
		if p.Level == LevelError {
			why = append(why, p.String())
		}
	}
	return ErrFile.At("%s", name).With("file", name).With("why", strings.Join(why, "\n"))
}

// Check is Parse with the problems one by one, warnings among them.
func Check(name string, source []byte) []Problem {
	p, problems := compileSource(name, source)
	if p != nil {
		return p.warnings
	}
	return problems
}

func compileSource(name string, source []byte) (*Policy, []Problem) {
	var f document
	dec := yaml.NewDecoder(bytes.NewReader(source))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		problems := yamlProblems(err)
		for i := range problems {
			problems[i].File = name
		}
		return nil, problems
	}
	p := &Policy{
		Name: f.Name, Version: f.Version, Subject: f.Subject, Extends: f.Over, Industries: f.Industries,
		Source: source, Hash: credit.Hash(source), texts: map[string]text{}, format: max(f.Format, 1),
	}
	p.id = p.Name + "@" + p.Version + ":" + p.Hash[:16]
	c := &compiler{p: p, name: name, nodes: map[string]*node{}}
	c.file(&f)
	if c.mistakes() > 0 {
		return nil, c.problems
	}
	p.bounds = c.bounds
	// A trial on no evidence, and on evidence at every number that the policy names, finds
	// what types cannot, such as a division by zero.
	if c.trial(); c.mistakes() > 0 {
		return nil, c.problems
	}
	p.warnings = c.problems
	return p, nil
}

func kindName(k reflect.Kind) string {
	if s := kindNames[k]; s != "" {
		return s
	}
	return "of no known kind"
}
