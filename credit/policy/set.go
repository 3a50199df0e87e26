package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
)

// Set holds the policies in force by name.
type Set struct {
	files  FileSet
	byName map[string]*Policy
	texts  map[string]text
	words  map[string]text
}

// Load reads policy/*.yaml, and from crops.yaml the names of crops for the texts. It
// returns ErrFile with every mistake of a file.
func Load(fsys fs.FS) (*Set, error) {
	files, err := Files(fsys)
	if err != nil {
		return nil, err
	}
	known, err := words(fsys)
	if err != nil {
		return nil, err
	}
	return compileSet(files, known)
}

func compileSet(files FileSet, words map[string]text) (*Set, error) {
	s := &Set{files: files, byName: map[string]*Policy{}, texts: map[string]text{}, words: words}
	for code, t := range builtin {
		s.texts[code] = t
	}
	for _, f := range files {
		p, problems := files.compile(f)
		if p == nil {
			return nil, refusal(f.Name, problems)
		}
		if s.byName[p.Name] != nil {
			return nil, ErrFile.With("file", f.Name).With("why", "another file has the policy "+p.Name)
		}
		s.byName[p.Name] = p
		for code, t := range p.texts {
			s.texts[code] = t
		}
	}
	return s, nil
}

// With is the set with files in the places of those of the same policies, and of all
// that extend them. It returns ErrFile.
func (s *Set) With(changed ...File) (*Set, error) {
	files := slices.Clone(s.files)
	for _, f := range changed {
		if i := slices.IndexFunc(files, func(o File) bool { return o.Policy == f.Policy }); i >= 0 {
			files[i] = f
		} else {
			files = append(files, f)
		}
	}
	return compileSet(files, s.words)
}

// Files are the sources of the set.
func (s *Set) Files() FileSet { return slices.Clone(s.files) }

// File is one source of a policy.
type File struct {
	Name   string // of the file
	Policy string // of the policy in it
	Source []byte
}

// FileSet are files that may extend each other.
type FileSet []File

// Files reads policy/*.yaml of a catalogue.
func Files(fsys fs.FS) (FileSet, error) {
	names, err := fs.Glob(fsys, "policy/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	var out FileSet
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		out = append(out, NewFile(path.Base(name), b))
	}
	return out, nil
}

// NewFile is a file with the name of its policy read out of it.
func NewFile(name string, source []byte) File {
	n, _ := root(name, source)
	return File{Name: name, Policy: value(n, "name"), Source: source}
}

// Check tells what is wrong with f, resolved against the other files; problems stand at
// their places in the files that they come from.
func (s FileSet) Check(f File) (*Policy, []Problem) {
	p, problems := s.compile(f)
	if p != nil {
		problems = p.warnings
	}
	return p, problems
}

func (s FileSet) compile(f File) (*Policy, []Problem) {
	source, from, err := resolve(f.Name, f.Source, func(policy string) (string, []byte, bool) {
		for _, o := range s {
			if o.Policy == policy && o.Name != f.Name {
				return o.Name, o.Source, true
			}
		}
		return "", nil, false
	})
	if err != nil {
		return nil, []Problem{{File: f.Name, Level: LevelError, Message: err.Error()}}
	}
	p, problems := compileSource(f.Name, source)
	if p != nil {
		for i := range p.warnings {
			p.warnings[i] = from.of(p.warnings[i])
		}
	}
	for i := range problems {
		problems[i] = from.of(problems[i])
	}
	return p, problems
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

// All returns the policies by name.
func (s *Set) All() []*Policy {
	out := make([]*Policy, 0, len(s.byName))
	for _, p := range s.byName {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Policy) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// For returns the general policy of that name, or the one that extends it for the
// industry: of several the one with the longest beginning of its code. ErrUnknown.
func (s *Set) For(name, industry string) (*Policy, error) {
	best, err := s.Policy(name)
	if err != nil || industry == "" {
		return best, err
	}
	most := 0
	for _, p := range s.byName {
		if p.Extends != name {
			continue
		}
		for _, code := range p.Industries {
			if len(code) > most && strings.HasPrefix(industry, code) || len(code) == most && strings.HasPrefix(industry, code) && p.Name < best.Name {
				best, most = p, len(code)
			}
		}
	}
	return best, nil
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
		if w, ok := inside[k][v]; ok {
			named[k] = w.in(lang)
		} else {
			named[k] = s.named(v, lang)
		}
	}
	return fault.Fill(t.in(lang), named)
}

func (t text) in(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return t.ZH
	}
	return t.EN
}

// Localise returns d with its reasons, allowances and raises in lang. A reason of an older
// policy whose code is gone keeps its stored words.
func (s *Set) Localise(d credit.Decision, lang string) credit.Decision {
	d.Reasons, d.Raises, d.Allowances = slices.Clone(d.Reasons), slices.Clone(d.Raises), slices.Clone(d.Allowances)
	for _, list := range [][]credit.Reason{d.Reasons, d.Raises} {
		for i, r := range list {
			if msg := s.Text(r.Code, lang, r.Args); msg != "" {
				list[i].Msg = msg
			}
		}
	}
	for i, a := range d.Allowances {
		args := map[string]string{"yuan": a.Amount.String()}
		for k, v := range a.Args {
			args[k] = v
		}
		if msg := s.Text(a.Code, lang, args); msg != "" {
			d.Allowances[i].Msg = msg
		}
	}
	return d
}
