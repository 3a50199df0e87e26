package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// File is where the catalogue keeps device profiles.
const File = "profiles.yaml"

// What can be wrong with profiles and what is read by them.
var (
	ErrCatalogue = fault.New(fault.Invalid, "profile.catalogue", "the device profiles are not usable: {why}")
	ErrUnknown   = fault.New(fault.Invalid, "profile.unknown", "there is no device profile {profile}: choose one of profiles.yaml, or add it there")
	ErrNone      = fault.New(fault.Invalid, "profile.none", "nothing says how this device packs its bytes: give the device a profile")
	ErrPort      = fault.New(fault.Invalid, "profile.port", "the device profile {profile} does not say how port {port} is packed: add the port to profiles.yaml")
	ErrBytes     = fault.New(fault.Invalid, "profile.bytes", "the bytes do not fit port {port} of the device profile {profile}: {why}")
)

// Catalogue is every device profile by code. A nil one is empty.
type Catalogue struct {
	byCode map[string]*Profile
}

// Profile says how one kind of device names and packs what it measures. A nil one
// knows the house's own names and no bytes.
type Profile struct {
	Code  string
	Name  map[string]string // by language
	keys  map[string]Key    // by path in lower case
	globs []glob            // paths with a *, the most exact first
	ports map[int]layout
	lpp   bool // bytes of every other port are Cayenne LPP
}

// Key says which field a device's value is, and in which unit: value·scale + offset.
type Key struct {
	Field  Field
	linear linear
}

type glob struct {
	path []string
	key  Key
}

// linear is x·scale + offset, where a scale such as 1e-7 divides by its exact
// inverse: 315123450 is then 31.512345 and not the number beside it.
type linear struct{ scale, inverse, offset float64 }

func newLinear(scale, offset float64) linear {
	l := linear{scale: scale, offset: offset}
	if inv := math.Round(1 / scale); math.Abs(scale) < 1 && math.Abs(inv*scale-1) < 1e-12 {
		l.inverse = inv
	}
	return l
}

func (l linear) of(x float64) float64 {
	if l.inverse != 0 {
		return x/l.inverse + l.offset
	}
	return x*l.scale + l.offset
}

// Load reads and validates profiles.yaml. Errors are ErrCatalogue with file and line.
func Load(fsys fs.FS) (*Catalogue, error) {
	text, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, ErrCatalogue.With("why", "the file is missing").At(File).Because(err)
	}
	return Read(text)
}

// The file as it is written.
type document struct {
	Version  int           `yaml:"version"`
	Profiles []profileText `yaml:"profiles"`
}

type profileText struct {
	Code  string              `yaml:"code"`
	Name  map[string]string   `yaml:"name"`
	Keys  map[string]keyText  `yaml:"keys"`
	LPP   bool                `yaml:"lpp"`
	Ports map[int]*layoutText `yaml:"ports"`
}

// keyText is "lat" or {field: lat, scale: 1e-7, offset: 0}.
type keyText struct {
	Field  string
	Scale  *float64
	Offset float64
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (k *keyText) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&k.Field)
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: write the field's name, or {field, scale, offset}", n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		var err error
		switch name {
		case "field":
			err = value.Decode(&k.Field)
		case "scale":
			err = value.Decode(&k.Scale)
		case "offset":
			err = value.Decode(&k.Offset)
		default:
			err = fmt.Errorf("line %d: %s is not known; write field, scale or offset", n.Content[i].Line, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Read reads and validates the text of profiles.yaml.
func Read(text []byte) (*Catalogue, error) {
	var doc document
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return nil, ErrCatalogue.With("why", strings.TrimPrefix(err.Error(), "yaml: ")).At(File)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, ErrCatalogue.With("why", err.Error()).At(File)
	}
	bad := func(why string, path ...any) error {
		return ErrCatalogue.With("why", why).At("%s:%d", File, line(&root, path...))
	}
	if doc.Version != 1 {
		return nil, bad(fmt.Sprintf("version %d is not known; it must be 1", doc.Version), "version")
	}
	c := &Catalogue{byCode: make(map[string]*Profile, len(doc.Profiles))}
	for i, t := range doc.Profiles {
		if _, twice := c.byCode[t.Code]; twice {
			return nil, bad(t.Code+" is listed twice", "profiles", i, "code")
		}
		p, err := t.compile()
		if err != nil {
			var at *placed
			errors.As(err, &at)
			return nil, bad(at.why, append([]any{"profiles", i}, at.path...)...)
		}
		c.byCode[p.Code] = p
	}
	return c, nil
}

// placed is what is wrong at a path below a profile.
type placed struct {
	why  string
	path []any
}

func (p *placed) Error() string { return p.why }

func wrong(why string, path ...any) error { return &placed{why, path} }

// line finds the line of a path of keys and indexes, or of as much of it as is there.
func line(n *yaml.Node, path ...any) int {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, step := range path {
		var next *yaml.Node
		switch at, isIndex := step.(int); {
		case isIndex && n.Kind == yaml.SequenceNode && at < len(n.Content):
			next = n.Content[at]
		case n.Kind == yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				if n.Content[i].Value == fmt.Sprint(step) {
					next = n.Content[i+1]
				}
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return n.Line
}

func (t profileText) compile() (*Profile, error) {
	p := &Profile{Code: t.Code, Name: t.Name, lpp: t.LPP, keys: make(map[string]Key, len(t.Keys)), ports: make(map[int]layout, len(t.Ports))}
	switch {
	case !iot.ValidDeviceID(t.Code):
		return nil, wrong("a profile needs a code of letters, digits, dots and dashes", "code")
	case t.Name["zh-CN"] == "" || t.Name["en"] == "":
		return nil, wrong("a profile needs a name in zh-CN and en", "name")
	}
	for _, path := range slices.Sorted(maps.Keys(t.Keys)) { // of several mistakes always the same is told
		k := t.Keys[path]
		f := ByName(k.Field)
		scale := 1.0
		if k.Scale != nil {
			scale = *k.Scale
		}
		switch {
		case !f.measurable():
			return nil, wrong(fmt.Sprintf("%q is not a field of a reading", k.Field), "keys", path)
		case !usable(scale, k.Offset):
			return nil, wrong("scale must be a number other than 0, offset a number", "keys", path)
		case path == "":
			return nil, wrong("a key must not be empty", "keys", path)
		}
		key, low := Key{f, newLinear(scale, k.Offset)}, strings.ToLower(path)
		if strings.Contains(low, "*") {
			p.globs = append(p.globs, glob{strings.Split(low, "."), key})
			continue
		}
		if _, twice := p.keys[low]; twice {
			return nil, wrong(path+" is given twice: keys differ by more than case", "keys", path)
		}
		p.keys[low] = key
	}
	slices.SortFunc(p.globs, func(a, b glob) int { return strings.Compare(strings.Join(b.path, "."), strings.Join(a.path, ".")) })
	for _, port := range slices.Sorted(maps.Keys(t.Ports)) {
		if port < 1 || port > 223 {
			return nil, wrong("a port is 1 to 223", "ports", port)
		}
		compiled, err := t.Ports[port].compile()
		if err != nil {
			var at *placed
			errors.As(err, &at)
			return nil, wrong(at.why, append([]any{"ports", port}, at.path...)...)
		}
		p.ports[port] = compiled
	}
	return p, nil
}

// usable tells whether scale and offset make a number of a number.
func usable(scale, offset float64) bool {
	return scale != 0 && !math.IsNaN(scale) && !math.IsInf(scale, 0) && !math.IsNaN(offset) && !math.IsInf(offset, 0)
}

// Profile returns a profile; ErrUnknown.
func (c *Catalogue) Profile(code string) (*Profile, error) {
	if c != nil {
		if p := c.byCode[code]; p != nil {
			return p, nil
		}
	}
	return nil, ErrUnknown.With("profile", code)
}

// Default returns the profile that is named after a payload format, or nil: it reads
// devices of that format which have no profile.
func (c *Catalogue) Default(format string) *Profile {
	if c == nil {
		return nil
	}
	return c.byCode[format]
}

// Codes lists the profiles in order, for those who choose one.
func (c *Catalogue) Codes() []string {
	if c == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.byCode))
}

// Key finds what the value at a path is; paths of nested values join their names
// with dots, and case does not matter. The house's own names are known unless the
// profile gives them another meaning.
func (p *Profile) Key(path string) (Key, bool) {
	low := strings.ToLower(path)
	if p != nil {
		if k, ok := p.keys[low]; ok {
			return k, true
		}
		if len(p.globs) > 0 {
			steps := strings.Split(low, ".")
			for _, g := range p.globs {
				if g.matches(steps) {
					return g.key, true
				}
			}
		}
	}
	if f := ByName(low); f.measurable() {
		return Key{f, linear{scale: 1}}, true
	}
	return Key{}, false
}

func (g glob) matches(steps []string) bool {
	if len(steps) != len(g.path) {
		return false
	}
	for i, s := range g.path {
		if s != "*" && s != steps[i] {
			return false
		}
	}
	return true
}

// Set puts a device's value into its field of the reading; or says why it does not fit.
func (k Key) Set(r *iot.Reading, x float64) (why string) {
	x = k.linear.of(x)
	if k.Field == Time || k.Field == Heads || k.Field == Seq {
		x = math.Round(x)
	}
	if why := k.Field.Problem(x); why != "" {
		return why
	}
	k.Field.Set(r, x)
	return ""
}
