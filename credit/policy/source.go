package policy

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/file"
	"go.yaml.in/yaml/v3"
)

// Levels of a problem.
const (
	LevelError   = "error"   // the policy cannot be used
	LevelWarning = "warning" // it can, but look at it
)

// Problem is something wrong with a policy, and where.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level" enum:"error,warning"`
	Part    string `json:"part"` // code or name of what is wrong
	Message string `json:"message"`
}

func (p Problem) String() string {
	at := p.File
	if p.Line > 0 {
		at += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			at += ":" + strconv.Itoa(p.Column)
		}
	}
	if p.Part != "" {
		at += ": " + p.Part
	}
	return at + ": " + p.Message
}

// src is a text of the file with its place.
type src struct {
	text   string
	line   int
	column int
	inline bool // on one line as it stands, so that a place in it can be named
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *src) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a single value is needed here", n.Line)
	}
	*s = src{text: n.Value, line: n.Line, column: n.Column, inline: n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0}
	if n.Tag == "!!null" {
		s.text = ""
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		s.column++
	}
	return nil
}

// pair is a name with a text; a mapping is read in its order.
type pair struct {
	name string
	src  src
}

type pairs []pair

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *pairs) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: names with values are needed here", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var s src
		if err := s.UnmarshalYAML(n.Content[i+1]); err != nil {
			return err
		}
		name := n.Content[i].Value
		if slices.ContainsFunc(*p, func(o pair) bool { return o.name == name }) {
			return fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, name)
		}
		*p = append(*p, pair{name, s})
	}
	return nil
}

// sorted are pairs by name, for arguments.
func (p pairs) sorted() pairs {
	out := slices.Clone(p)
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return out
}

// at is the place of a part of the file, taken while it is decoded.
type at struct{ line, column int }

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlProblems tells the decoder's mistakes one by one.
func yamlProblems(err error) (out []Problem) {
	list := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		list = typed.Errors
	}
	for _, msg := range list {
		p := Problem{Level: LevelError, Message: msg}
		if m := yamlLine.FindStringSubmatchIndex(msg); m != nil {
			p.Line, _ = strconv.Atoi(msg[m[2]:m[3]])
			p.Message = msg[:m[0]] + msg[m[1]:]
		}
		out = append(out, p)
	}
	return out
}

// place adds a place inside an expression to that of the expression.
func (s src) place(err error) (line, column int, msg string) {
	var e *file.Error
	if !errors.As(err, &e) {
		return s.line, s.column, err.Error()
	}
	if s.inline && e.Line <= 1 {
		return s.line, s.column + e.Column, e.Message
	}
	return s.line, s.column, e.Message
}

// keyed are the lists of a policy whose items have a name, under which an extending
// policy replaces them.
var keyed = map[string]string{
	"rules": "code", "rate": "code", "factors": "code", "caps": "code", "allowances": "code",
	"tables": "name", "thresholds": "name", "scores": "name",
}

// maxExtends is how many policies may stand over one another.
const maxExtends = 8

// resolve returns the source of a policy with those that it extends laid under it, and
// for its places those of the files. read gives the source of a policy by name.
func resolve(name string, source []byte, read func(policy string) (file string, source []byte, ok bool)) ([]byte, *origins, error) {
	own, err := root(name, source)
	if err != nil || own == nil {
		return source, nil, err
	}
	doc, seen := own, []string{value(own, "name")}
	from := &origins{file: map[*yaml.Node]string{}}
	from.mark(own, name)
	for next := child(own, "extends"); next != nil; {
		under := next.Value
		seen = append(seen, under)
		if slices.Contains(seen[:len(seen)-1], under) || len(seen) > maxExtends {
			return nil, nil, fmt.Errorf("%s:%d:%d: extends in a circle: %s", name, next.Line, next.Column, strings.Join(seen, " → "))
		}
		file, text, ok := read(under)
		if !ok {
			return nil, nil, fmt.Errorf("%s:%d:%d: there is no policy %s to extend", name, next.Line, next.Column, under)
		}
		base, err := root(file, text)
		if err != nil {
			return nil, nil, err
		}
		from.mark(base, file)
		next = child(base, "extends")
		drop(base, "extends")
		drop(base, "industries")
		doc = merge(base, doc)
	}
	if len(seen) == 1 {
		return source, nil, nil
	}
	remove(doc, child(doc, "without"))
	drop(doc, "without")
	for i := 0; i < len(doc.Content); i += 2 { // resolved: it can be read by itself from now on
		if doc.Content[i].Value == "extends" {
			doc.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Value: "over"}
		}
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, nil, err
	}
	_ = enc.Close()
	written, err := root(name, out.Bytes())
	if err != nil {
		return nil, nil, err
	}
	from.walk(doc, written)
	return out.Bytes(), from, nil
}

// root is the mapping of a file, nil when it is none: the parser tells that.
func root(name string, source []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(source, &doc); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	return doc.Content[0], nil
}

func child(n *yaml.Node, key string) *yaml.Node {
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

func value(n *yaml.Node, key string) string {
	if c := child(n, key); c != nil {
		return c.Value
	}
	return ""
}

func drop(n *yaml.Node, key string) {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// merge lays one mapping over another: mappings key by key, lists with named items item
// by item, everything else as a whole.
func merge(under, over *yaml.Node) *yaml.Node {
	if under == nil {
		return over
	}
	out := *under
	out.Content = slices.Clone(under.Content)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, val := over.Content[i], over.Content[i+1]
		at := slices.IndexFunc(out.Content, func(n *yaml.Node) bool { return n.Value == key.Value && isKey(out.Content, n) })
		if at < 0 {
			out.Content = append(out.Content, key, val)
			continue
		}
		was := out.Content[at+1]
		switch name := keyed[key.Value]; {
		case val.Kind == yaml.MappingNode && was.Kind == yaml.MappingNode && key.Value != "base":
			out.Content[at+1] = merge(was, val)
		case name != "" && val.Kind == yaml.SequenceNode && was.Kind == yaml.SequenceNode:
			out.Content[at+1] = mergeList(was, val, name)
		default:
			out.Content[at+1] = val
		}
	}
	return &out
}

func isKey(content []*yaml.Node, n *yaml.Node) bool { return slices.Index(content, n)%2 == 0 }

func mergeList(under, over *yaml.Node, name string) *yaml.Node {
	out := *under
	out.Content = slices.Clone(under.Content)
	for _, item := range over.Content {
		i := slices.IndexFunc(out.Content, func(n *yaml.Node) bool {
			return value(n, name) != "" && value(n, name) == value(item, name)
		})
		if i < 0 {
			out.Content = append(out.Content, item)
		} else {
			out.Content[i] = item
		}
	}
	return &out
}

// remove takes the items named in `without` out of the keyed lists.
func remove(doc, without *yaml.Node) {
	if without == nil {
		return
	}
	var names []string
	for _, n := range without.Content {
		names = append(names, n.Value)
	}
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			list := n.Content[i+1]
			if key := keyed[n.Content[i].Value]; key != "" && list.Kind == yaml.SequenceNode {
				copied := *list
				copied.Content = slices.DeleteFunc(slices.Clone(list.Content), func(x *yaml.Node) bool {
					return slices.Contains(names, value(x, key))
				})
				n.Content[i+1] = &copied
				continue
			}
			walk(list)
		}
	}
	walk(doc)
}

// origins leads from places of a resolved source to the files that it was made of.
type origins struct {
	file  map[*yaml.Node]string
	place map[at]Problem
}

func (o *origins) mark(n *yaml.Node, file string) {
	o.file[n] = file
	for _, c := range n.Content {
		o.mark(c, file)
	}
}

// walk notes where each node of the written tree stood; both have the same shape.
func (o *origins) walk(was, is *yaml.Node) {
	if o.place == nil {
		o.place = map[at]Problem{}
	}
	o.note(was, is)
	for i := range was.Content {
		if i < len(is.Content) {
			o.walk(was.Content[i], is.Content[i])
		}
	}
}

func (o *origins) note(was, is *yaml.Node) {
	if f := o.file[was]; f != "" {
		o.place[at{is.Line, is.Column}] = Problem{File: f, Line: was.Line, Column: was.Column}
	}
}

// of puts a problem where it stands in the files.
func (o *origins) of(p Problem) Problem {
	if o == nil {
		return p
	}
	best, found := at{}, false
	for k := range o.place {
		if k.line == p.Line && k.column <= max(p.Column, 1) && (!found || k.column > best.column) {
			best, found = k, true
		}
	}
	if found {
		was := o.place[best]
		p.File, p.Line, p.Column = was.File, was.Line, was.Column+max(0, p.Column-best.column)
	}
	return p
}
