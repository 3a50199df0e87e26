package species

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/iot/worth/growth"
)

// BreedFile is where the catalogue keeps breeds.
const BreedFile = "breeds.yaml"

// Breed is a breed of one species. A curve it does not have is its species'.
type Breed struct {
	Code   string            `yaml:"code" json:"code"`
	Name   map[string]string `yaml:"name" json:"name"` // by language
	Male   *growth.Curve     `yaml:"m" json:"-"`
	Female *growth.Curve     `yaml:"f" json:"-"`
}

// Breed returns the breed of a code.
func (s Species) Breed(code string) (Breed, bool) {
	for _, b := range s.Breeds {
		if b.Code == code {
			return b, true
		}
	}
	return Breed{}, false
}

func (c *Catalogue) readBreeds(r io.Reader) error {
	bad := func(format string, args ...any) error {
		return ErrCatalogue.With("why", fmt.Sprintf(format, args...)).At("%s", BreedFile)
	}
	var doc struct {
		Version int `yaml:"version"`
		Breeds  []struct {
			Species string `yaml:"species"`
			Breed   `yaml:",inline"`
		} `yaml:"breeds"`
	}
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return bad("%v", err)
	}
	if doc.Version != 1 {
		return bad("version %d is not known; it must be 1", doc.Version)
	}
	for _, b := range doc.Breeds {
		s, ok := c.byCode[b.Species]
		if !ok {
			return bad("breed %s is of the species %q, which is not in %s", b.Code, b.Species, File)
		}
		if b.Code == "" || b.Name["zh-CN"] == "" || b.Name["en"] == "" {
			return bad("each breed needs a code and a name in zh-CN and en")
		}
		if _, twice := s.Breed(b.Code); twice {
			return bad("%s is listed twice among the breeds of %s", b.Code, b.Species)
		}
		for sex, curve := range map[string]*growth.Curve{"m": b.Male, "f": b.Female} {
			if curve == nil {
				continue
			}
			if why := curve.Problem(); why != "" {
				return bad("%s %s: %s: %s", b.Species, b.Code, sex, why)
			}
		}
		s.Breeds = append(s.Breeds, b.Breed)
		c.byCode[b.Species] = s
	}
	return nil
}
