// Package policy turns evidence into a decision by rules that a bank writes as data:
// catalog/policy/*.yaml. Conditions are expressions over [feature.Facts], compiled and type
// checked when the file is read, so that deciding is fast and cannot fail on missing
// evidence. The same evidence, product and policy always give the same decision.
//
// docs/formats/policy.md describes the file.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
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

// Policy is one compiled file.
type Policy struct {
	Name    string
	Version string
	Subject credit.SubjectKind
	Source  []byte // the file, as hashed
	Hash    string // SHA-256 of Source, hex

	base    base
	factors []factor
	caps    []capped
	round   money.Fen
	price   []priced
	points  int
	score   []scored
	rules   []rule
	texts   map[string]text
}

// ID names the exact policy: "plot@2026.1:" and the first 16 digits of its hash.
func (p *Policy) ID() string { return p.Name + "@" + p.Version + ":" + p.Hash[:16] }

type text struct {
	EN string `yaml:"en"`
	ZH string `yaml:"zh"`
}

type (
	base struct {
		code string
		fen  *vm.Program
		args []arg
	}
	factor struct {
		code string
		args []arg
		rows []bpRow
	}
	bpRow struct {
		when *vm.Program // nil always holds
		bp   int64
	}
	capped struct {
		code, effect string
		fen          *vm.Program
		args         []arg
	}
	priced struct {
		code string
		when *vm.Program
		bp   int64
		args []arg
	}
	scored struct {
		when   *vm.Program
		points int
	}
	rule struct {
		code, effect string
		weight       int
		when         *vm.Program
		args         []arg
	}
	arg struct {
		name  string
		value *vm.Program
	}
)

// file is the YAML form.
type file struct {
	Name    string             `yaml:"name"`
	Version string             `yaml:"version"`
	Subject credit.SubjectKind `yaml:"subject"`
	Limit   struct {
		Base struct {
			Code string            `yaml:"code"`
			Fen  string            `yaml:"fen"`
			Args map[string]string `yaml:"args"`
			text `yaml:",inline"`
		} `yaml:"base"`
		Factors []struct {
			Code string            `yaml:"code"`
			Args map[string]string `yaml:"args"`
			text `yaml:",inline"`
			Rows []struct {
				When string `yaml:"when"`
				BP   int64  `yaml:"bp"`
			} `yaml:"rows"`
		} `yaml:"factors"`
		Caps []struct {
			Code   string            `yaml:"code"`
			Effect string            `yaml:"effect"`
			Fen    string            `yaml:"fen"`
			Args   map[string]string `yaml:"args"`
			text   `yaml:",inline"`
		} `yaml:"caps"`
		RoundFen money.Fen `yaml:"round_fen"`
	} `yaml:"limit"`
	Rate []struct {
		Code string            `yaml:"code"`
		When string            `yaml:"when"`
		BP   int64             `yaml:"bp"`
		Args map[string]string `yaml:"args"`
		text `yaml:",inline"`
	} `yaml:"rate"`
	Score struct {
		Base int `yaml:"base"`
		Rows []struct {
			When   string `yaml:"when"`
			Points int    `yaml:"points"`
		} `yaml:"rows"`
	} `yaml:"score"`
	Rules []struct {
		Code   string            `yaml:"code"`
		Effect string            `yaml:"effect"`
		Weight int               `yaml:"weight"`
		When   string            `yaml:"when"`
		Args   map[string]string `yaml:"args"`
		text   `yaml:",inline"`
	} `yaml:"rules"`
}

// Parse reads, checks and compiles one policy; name is for messages. It returns ErrFile.
func Parse(name string, source []byte) (*Policy, error) {
	bad := func(err error) (*Policy, error) {
		return nil, ErrFile.At("%s", name).With("file", name).With("why", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(source))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return bad(err)
	}
	p := &Policy{
		Name: f.Name, Version: f.Version, Subject: f.Subject,
		Source: source, Hash: credit.Hash(source), texts: map[string]text{},
	}
	c := compiler{p: p}
	c.file(&f)
	if err := errors.Join(c.errs...); err != nil {
		return bad(err)
	}
	// A trial on no evidence at all finds what types cannot, such as a division by zero.
	if err := p.trial(); err != nil {
		return bad(err)
	}
	return p, nil
}

// compiler gathers every mistake of a file.
type compiler struct {
	p    *Policy
	errs []error
}

func (c *compiler) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// compile returns nil for an empty source.
func (c *compiler) compile(code, source string, as expr.Option) *vm.Program {
	if source == "" {
		return nil
	}
	prog, err := expr.Compile(source, append([]expr.Option{expr.Env(feature.Facts{}), as}, functions...)...)
	if err != nil {
		c.fail("%s: %w", code, err)
	}
	return prog
}

// amount compiles a formula of fen; the result must be an integer without a cast.
func (c *compiler) amount(code, source string) *vm.Program {
	if source == "" {
		c.fail("%s: give a formula in fen", code)
		return nil
	}
	prog := c.compile(code, source, expr.AsAny())
	if prog != nil && prog.Node().Type().Kind() != reflect.Int {
		c.fail("%s: %s is not an integer amount of fen; multiply by basis points in a factor instead", code, source)
	}
	return prog
}

func (c *compiler) args(code string, args map[string]string) []arg {
	var out []arg
	for name, source := range args {
		out = append(out, arg{name, c.compile(code, source, expr.AsAny())})
	}
	return out
}

func (c *compiler) text(code string, t text) {
	switch {
	case code == "":
		c.fail("every part needs a code")
	case t.EN == "" || t.ZH == "":
		c.fail("%s: give the reason in en and zh", code)
	default:
		if _, twice := c.p.texts[code]; twice {
			c.fail("%s: the code is used twice", code)
		}
		c.p.texts[code] = t
	}
}

func (c *compiler) file(f *file) {
	p := c.p
	if f.Name == "" || f.Version == "" {
		c.fail("give it a name and a version")
	}
	switch f.Subject {
	case credit.PlotSubject, credit.HerdSubject, credit.FirmSubject:
	default:
		c.fail("subject must be plot, herd or firm")
	}
	b := f.Limit.Base
	c.text(b.Code, b.text)
	p.base = base{b.Code, c.amount(b.Code, b.Fen), c.args(b.Code, b.Args)}
	for _, x := range f.Limit.Factors {
		c.text(x.Code, x.text)
		t := factor{code: x.Code, args: c.args(x.Code, x.Args)}
		for i, r := range x.Rows {
			if r.BP < 0 || r.BP > 20_000 {
				c.fail("%s: bp must be between 0 and 20000", x.Code)
			}
			if last := i == len(x.Rows)-1; last != (r.When == "") {
				c.fail("%s: the last row, and only the last, stands without when", x.Code)
			}
			t.rows = append(t.rows, bpRow{c.compile(x.Code, r.When, expr.AsBool()), r.BP})
		}
		if len(x.Rows) == 0 {
			c.fail("%s: give it rows", x.Code)
		}
		p.factors = append(p.factors, t)
	}
	for _, x := range f.Limit.Caps {
		c.text(x.Code, x.text)
		if x.Effect != Lower && x.Effect != Info {
			c.fail("%s: effect must be lower or info", x.Code)
		}
		p.caps = append(p.caps, capped{x.Code, x.Effect, c.amount(x.Code, x.Fen), c.args(x.Code, x.Args)})
	}
	if p.round = f.Limit.RoundFen; p.round <= 0 {
		c.fail("limit.round_fen must be above zero")
	}
	for _, x := range f.Rate {
		c.text(x.Code, x.text)
		p.price = append(p.price, priced{x.Code, c.compile(x.Code, x.When, expr.AsBool()), x.BP, c.args(x.Code, x.Args)})
	}
	p.points = f.Score.Base
	for _, x := range f.Score.Rows {
		p.score = append(p.score, scored{c.compile("score", x.When, expr.AsBool()), x.Points})
	}
	for _, x := range f.Rules {
		c.text(x.Code, x.text)
		if !slices.Contains([]string{Refuse, Refer, Info}, x.Effect) {
			c.fail("%s: effect must be refuse, refer or info", x.Code)
		}
		if x.When == "" {
			c.fail("%s: say when", x.Code)
		}
		p.rules = append(p.rules, rule{x.Code, x.Effect, x.Weight, c.compile(x.Code, x.When, expr.AsBool()), c.args(x.Code, x.Args)})
	}
	slices.SortStableFunc(p.rules, func(a, b rule) int {
		if d := rank(a.effect) - rank(b.effect); d != 0 {
			return d
		}
		return b.weight - a.weight
	})
}

func rank(effect string) int {
	return slices.Index([]string{Refuse, Refer, Lower, Raise, Info}, effect)
}

// functions are what expressions can call besides the operators. The clock is not
// among them: a decision must not depend on when it is replayed.
var functions = []expr.Option{
	expr.DisableAllBuiltins(),
	expr.EnableBuiltin("any"), expr.EnableBuiltin("all"), expr.EnableBuiltin("none"), expr.EnableBuiltin("len"),
	expr.EnableBuiltin("min"), expr.EnableBuiltin("max"), expr.EnableBuiltin("filter"), expr.EnableBuiltin("join"),
	expr.Function("percent", func(v ...any) (any, error) {
		return fmt.Sprintf("%.0f%%", v[0].(float64)*100), nil
	}, func(float64) string { return "" }),
	expr.Function("yuan", func(v ...any) (any, error) {
		return money.Fen(v[0].(int)).String(), nil
	}, func(int) string { return "" }),
}

// Set holds the policies in force by name.
type Set struct {
	byName map[string]*Policy
	texts  map[string]text
	words  map[string]text
}

// Load reads policy/*.yaml, and from crops.yaml the names of crops for the texts. It
// returns ErrFile with every mistake of a file.
func Load(fsys fs.FS) (*Set, error) {
	names, err := fs.Glob(fsys, "policy/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	known, err := words(fsys)
	if err != nil {
		return nil, err
	}
	s := &Set{byName: map[string]*Policy{}, texts: map[string]text{}, words: known}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		p, err := Parse(path.Base(name), b)
		if err != nil {
			return nil, err
		}
		if s.byName[p.Name] != nil {
			return nil, ErrFile.With("file", name).With("why", "another file has the policy "+p.Name)
		}
		s.byName[p.Name] = p
		for code, t := range p.texts {
			s.texts[code] = t
		}
	}
	return s, nil
}

// words are what the codes of crops, alerts and causes are called; a catalogue
// without them has none.
func words(fsys fs.FS) (map[string]text, error) {
	type word struct {
		Code string `yaml:"code"`
		text `yaml:",inline"`
	}
	out := map[string]text{}
	for _, name := range []string{"crops.yaml", "words.yaml"} {
		b, err := fs.ReadFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		var f struct {
			Crops []word `yaml:"crops"`
			Words []word `yaml:"words"`
		}
		if err := yaml.Unmarshal(b, &f); err != nil {
			return nil, ErrFile.With("file", name).With("why", err)
		}
		for _, w := range slices.Concat(f.Crops, f.Words) {
			out[w.Code] = w.text
		}
	}
	return out, nil
}

// named puts the words for the codes of a list such as "fence_exit, stillness".
func (s *Set) named(list, lang string) string {
	codes := strings.Split(list, ",")
	for i, code := range codes {
		w, ok := s.words[strings.TrimSpace(code)]
		if !ok {
			return list
		}
		codes[i] = w.in(lang)
	}
	if strings.HasPrefix(lang, "zh") {
		return strings.Join(codes, "、")
	}
	return strings.Join(codes, ", ")
}

// Policy returns ErrUnknown.
func (s *Set) Policy(name string) (*Policy, error) {
	if p := s.byName[name]; p != nil {
		return p, nil
	}
	return nil, ErrUnknown.With("name", name)
}

// Text gives the words of a reason in lang ("zh-CN" or "en"), or "" for a code that no
// policy in force has. Codes of crops, alerts and causes among the arguments become words.
func (s *Set) Text(code, lang string, args map[string]string) string {
	t, ok := s.texts[code]
	if !ok {
		return ""
	}
	named := make(map[string]string, len(args))
	for k, v := range args {
		named[k] = s.named(v, lang)
	}
	return fault.Fill(t.in(lang), named)
}

func (t text) in(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return t.ZH
	}
	return t.EN
}

// Localise returns d with its reasons in lang. A reason of an older policy whose code
// is gone keeps its stored words.
func (s *Set) Localise(d credit.Decision, lang string) credit.Decision {
	d.Reasons = slices.Clone(d.Reasons)
	for i, r := range d.Reasons {
		if msg := s.Text(r.Code, lang, r.Args); msg != "" {
			d.Reasons[i].Msg = msg
		}
	}
	return d
}
