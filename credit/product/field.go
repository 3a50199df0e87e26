package product

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fields is the shape of a product in the file.
var fields = reflect.TypeFor[Product]()

// known refuses fields that do not exist and fields that stand twice, at any depth. It
// says whether there was none.
func (r *reader) known(n *yaml.Node, t reflect.Type, code string) bool {
	n = unalias(n)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	good := true
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for _, x := range n.Content {
			good = r.known(x, t.Elem(), code) && good
		}
	case n.Kind == yaml.MappingNode && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map):
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			inner, ok := member(t, key.Value)
			if !ok {
				r.wrong(key.Line, code, "there is no field "+key.Value)
				good = false
				continue
			}
			if seen[key.Value] {
				r.wrong(key.Line, code, key.Value+" stands twice")
				good = false
			}
			seen[key.Value] = true
			good = r.known(n.Content[i+1], inner, code) && good
		}
	}
	return good
}

// member is the type of a field by its name in the file; a map takes any name.
func member(t reflect.Type, name string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for f := range t.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); tag == name && name != "" {
			return f.Type, true
		}
	}
	return nil, false
}
