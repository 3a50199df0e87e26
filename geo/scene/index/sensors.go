package index

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/catalog"
)

// Sensors are the layouts of the catalogue, in the order in which they are tried.
type Sensors []Layout

// LoadSensors reads sensors.yaml of a catalogue folder.
func LoadSensors(fsys fs.FS) (Sensors, error) {
	text, err := fs.ReadFile(fsys, "sensors.yaml")
	if err != nil {
		return nil, ErrSensors.With("why", "sensors.yaml is missing").Because(err)
	}
	return ParseSensors(text)
}

// builtinSensors reads the file of the binary.
func builtinSensors() (Sensors, error) {
	fsys, err := catalog.Open("")
	if err != nil {
		return nil, err
	}
	return LoadSensors(fsys)
}

// ParseSensors reads the text of sensors.yaml. Unknown fields are errors: they are
// misspelt ones.
func ParseSensors(text []byte) (Sensors, error) {
	var file struct {
		Version int                 `yaml:"version"`
		Masks   map[string]BandRule `yaml:"masks"` // anchors for the sensors below
		Sensors Sensors             `yaml:"sensors"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, ErrSensors.With("why", err.Error())
	}
	if file.Version != 1 {
		return nil, ErrSensors.With("why", "version must be 1")
	}
	seen := map[string]bool{}
	for i := range file.Sensors {
		s := &file.Sensors[i]
		if !plainName.MatchString(s.Name) || s.Name == "auto" || seen[s.Name] {
			return nil, ErrSensors.At("sensors[%d]", i).With("why", "a sensor needs a name of its own, of letters, digits, - and _")
		}
		seen[s.Name] = true
		if strings.TrimSpace(s.Source) == "" {
			return nil, ErrSensors.At("%s", s.Name).With("why", "source must say where its facts come from")
		}
		if err := s.prepare(); err != nil {
			return nil, ErrSensors.At("%s", s.Name).With("why", err.Error())
		}
	}
	return file.Sensors, nil
}

// Names lists the sensors in their order.
func (s Sensors) Names() []string {
	out := make([]string, len(s))
	for i, l := range s {
		out[i] = l.Name
	}
	return out
}

// find returns the sensor of that name.
func (s Sensors) find(name string) (Layout, error) {
	i := slices.IndexFunc(s, func(l Layout) bool { return l.Name == name })
	if i < 0 {
		return Layout{}, ErrLayout.With("why", fmt.Sprintf("there is no layout %q; use auto, %s, or a path to a %s", name, strings.Join(s.Names(), ", "), LayoutFile))
	}
	return s[i], nil
}
