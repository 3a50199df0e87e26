package product

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
)

// File is where the products stand in the catalogue.
const File = "products.yaml"

// Catalogue holds the products by code.
type Catalogue struct {
	list     []Product
	holidays schedule.Holidays
}

// Load reads and checks products.yaml, and the calendar of holidays when there is one. It
// returns every mistake that it finds, joined,
// each an ErrFile with the line.
func Load(fsys fs.FS) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("product: %w", err)
	}
	c, err := Parse(b)
	if err != nil {
		return nil, err
	}
	c.holidays, err = schedule.LoadHolidays(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c, err
}

// Parse reads the text of products.yaml; see Load.
func Parse(text []byte) (*Catalogue, error) {
	r := reader{}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, ErrFile.At(File).With("code", "").With("why", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	items := r.items(&root)
	if r.errs != nil {
		return nil, errors.Join(r.errs...)
	}
	var c Catalogue
	for i := range items {
		node := r.whole(items, i)
		if node == nil {
			continue
		}
		if p, ok := r.product(node); ok {
			c.list = append(c.list, p)
		}
	}
	if r.errs != nil {
		return nil, errors.Join(r.errs...)
	}
	return &c, nil
}

// item is one product as it stands in the file.
type item struct {
	code string
	node *yaml.Node
}

// reader collects what is wrong.
type reader struct{ errs []error }

func (r *reader) wrong(line int, code, why string) {
	err := ErrFile.At("%s:%d", File, line).With("code", code).With("why", why)
	same := func(e error) bool { return e.Error() == err.Error() } // a base is read with each variant
	if !slices.ContainsFunc(r.errs, same) {
		r.errs = append(r.errs, err)
	}
}

// items finds the products and their codes.
func (r *reader) items(root *yaml.Node) []item {
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		r.wrong(1, "", "write the products under products:")
		return nil
	}
	top := root.Content[0]
	list := child(top, "products")
	for i := 0; i < len(top.Content); i += 2 {
		if k := top.Content[i]; k.Value != "products" {
			r.wrong(k.Line, "", "there is no field "+k.Value)
		}
	}
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		r.wrong(top.Line, "", "the file lists no product")
		return nil
	}
	lines := map[string]int{}
	var out []item
	for _, n := range list.Content {
		if n.Kind != yaml.MappingNode {
			r.wrong(n.Line, "", "a product is written as fields and values")
			continue
		}
		code := text(child(n, "code"))
		switch line, used := lines[code]; {
		case code == "":
			r.wrong(n.Line, "", "give it a code")
		case used:
			r.wrong(n.Line, code, fmt.Sprintf("the code is used twice, first in line %d", line))
		}
		lines[code] = n.Line
		out = append(out, item{code, n})
	}
	return out
}

// whole is a product with what it takes from those that it is based on; nil when that
// cannot be said.
func (r *reader) whole(items []item, i int) *yaml.Node {
	way := []int{i}
	for {
		at := items[way[len(way)-1]]
		base := child(at.node, "based_on")
		if text(base) == "" {
			break
		}
		next := slices.IndexFunc(items, func(x item) bool { return x.code == text(base) })
		if next < 0 {
			r.wrong(base.Line, at.code, "there is no product "+text(base)+" that it could be based on")
			return nil
		}
		if from := slices.Index(way, next); from >= 0 {
			r.cycle(items, way[from:])
			return nil
		}
		way = append(way, next)
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: items[i].node.Line}
	for _, at := range way {
		n := items[at].node
		for j := 0; j+1 < len(n.Content); j += 2 {
			if k := n.Content[j]; at == i || child(out, k.Value) == nil {
				out.Content = append(out.Content, k, n.Content[j+1])
			}
		}
	}
	return out
}

// cycle names a circle of products once, from its first line in the file on.
func (r *reader) cycle(items []item, way []int) {
	first := slices.Index(way, slices.Min(way))
	way = append(slices.Clone(way[first:]), way[:first]...)
	codes := make([]string, 0, len(way)+1)
	for _, at := range way {
		codes = append(codes, items[at].code)
	}
	start := items[way[0]]
	r.wrong(child(start.node, "based_on").Line, start.code, "based_on runs in a circle: "+strings.Join(append(codes, start.code), " -> "))
}

// product decodes and checks one.
func (r *reader) product(n *yaml.Node) (p Product, ok bool) {
	before := len(r.errs)
	code := text(child(n, "code"))
	var bad *yaml.TypeError
	err := n.Decode(&p) // first, because it bounds what aliases may unfold to
	switch {
	case errors.As(err, &bad):
		for _, e := range bad.Errors {
			_, why, _ := strings.Cut(e, ": ")
			r.wrong(lineOf(e, n.Line), code, why)
		}
	case err != nil:
		r.wrong(n.Line, code, strings.TrimPrefix(err.Error(), "yaml: "))
		return p, false
	}
	if !r.known(n, fields, code) || err != nil {
		return p, false
	}
	tell := func(why string, path ...any) { r.wrong(line(n, path), code, why) }
	if check(p, tell); len(r.errs) == before {
		checkCost(p, tell)
	}
	return p, len(r.errs) == before
}

// lineOf reads "line 12: ..." as the decoder writes it.
func lineOf(text string, otherwise int) int {
	var n int
	if _, err := fmt.Sscanf(text, "line %d:", &n); err != nil || n == 0 {
		return otherwise
	}
	return n
}

// child is the value of a key, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	n = unalias(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// unalias is what an alias stands for.
func unalias(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func text(n *yaml.Node) string {
	n = unalias(n)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// line is that of the value under a path of keys and positions, or of what is nearest
// above it.
func line(n *yaml.Node, path []any) int {
	at := n.Line
	for _, step := range path {
		switch x := step.(type) {
		case string:
			n = child(n, x)
		case int:
			if n = unalias(n); n.Kind != yaml.SequenceNode || x >= len(n.Content) {
				return at
			}
			n = n.Content[x]
		}
		if n == nil || n.Line == 0 {
			return at
		}
		at = n.Line
	}
	return at
}
