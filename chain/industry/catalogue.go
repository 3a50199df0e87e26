// Package industry knows the industry chains of the catalogue: directions such as
// automotive or medical, their sub-chains, and the nodes of these from upstream to
// downstream. It mounts firms on nodes by what they sell, how they are called and
// how they are registered.
//
// docs/formats/chain.md describes the files and the rules.
package industry

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// Folder is where the catalogue has one file a direction.
const Folder = "chain"

// What can be wrong with the catalogue.
var (
	ErrCatalogue = fault.New(fault.Invalid, "industry.catalogue", "the catalogue of industry chains is wrong: {why}")
	ErrNoFiles   = fault.New(fault.Invalid, "industry.no_files", "the catalogue has no industry chains; it needs files such as chain/automotive.csv")
)

// Stage is the part of a sub-chain in which a node is.
type Stage string

// Stages, in the order of supply.
const (
	Upstream   Stage = "up"
	Midstream  Stage = "mid"
	Downstream Stage = "down"
)

// Direction is one of the great industry chains.
type Direction struct {
	Code  string   `json:"code"`
	Zh    string   `json:"zh"`
	En    string   `json:"en"`
	Words []string `json:"-"` // that speak of it without naming a product
}

// Chain is a sub-chain of a direction.
type Chain struct {
	ID        string   `json:"id"` // "automotive.tyre"
	Direction string   `json:"direction"`
	Zh        string   `json:"zh"`
	En        string   `json:"en"`
	Words     []string `json:"-"`
	Nodes     []string `json:"nodes"`
}

// Node is a place in a sub-chain: firms that make, trade or do one sort of thing.
type Node struct {
	ID        string   `json:"id"` // "automotive.tyre.cord"
	Direction string   `json:"direction"`
	Chain     string   `json:"chain"`
	Zh        string   `json:"zh"`
	En        string   `json:"en"`
	Stage     Stage    `json:"stage"`
	Words     []string `json:"words"`   // names of products, the node's own name first
	Codes     []string `json:"codes"`   // of GB/T 4754
	Without   []string `json:"without"` // words beside which the product words mean something else
	Feeds     []string `json:"feeds"`   // nodes that this one supplies

	line int
}

// Catalogue is the industry chains, read and validated. It is immutable and safe
// for concurrent use.
type Catalogue struct {
	directions []Direction
	chains     []Chain
	nodes      []Node
	byID       map[string]int // nodes
	fedBy      map[string][]string
	byCode     map[string][]int // nodes of a GB/T 4754 code and of each of its beginnings
	words      *trie
	without    [][][]rune // folded, by node
	direction  []int      // of a node
}

// InputsFile lies beside the directions and is none: package contagion reads it.
const InputsFile = Folder + "/inputs.csv"

// Load reads and validates the files chain/*.csv of the catalogue. Errors name the
// file and line and wrap ErrCatalogue.
func Load(fsys fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(fsys, Folder+"/*.csv")
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == InputsFile })
	if len(names) == 0 {
		return nil, ErrNoFiles
	}
	c := &Catalogue{byID: map[string]int{}, fedBy: map[string][]string{}, byCode: map[string][]int{}}
	for _, name := range names {
		f, err := fsys.Open(name)
		if err != nil {
			return nil, err
		}
		err = c.read(f, name)
		f.Close() //nolint:errcheck // it was only read
		if err != nil {
			return nil, err
		}
	}
	if err := c.connect(); err != nil {
		return nil, err
	}
	c.index()
	return c, nil
}

func wrong(file string, line int, why string, args ...any) error {
	return ErrCatalogue.With("why", fmt.Sprintf(why, args...)).At("%s:%d", file, line)
}

var (
	columns = []string{"chain", "node", "stage", "zh", "en", "words", "codes", "without", "feeds"}
	codeRE  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	gbRE    = regexp.MustCompile(`^[A-T][0-9]{2,4}$`)
)

// read takes one direction's file: a row without chain names the direction, one
// without node names a sub-chain, and the others are its nodes.
func (c *Catalogue) read(r io.Reader, file string) error {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(columns)
	head, err := in.Read()
	if err != nil || !slices.Equal(head, columns) {
		return wrong(file, 1, "the first line must be %s", strings.Join(columns, ","))
	}
	direction := strings.TrimSuffix(path.Base(file), ".csv")
	if !codeRE.MatchString(direction) {
		return wrong(file, 1, "the name of the file is the code of the direction; use small letters")
	}
	first := len(c.directions)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				return wrong(file, parse.Line, "%v", parse.Err)
			}
			return err
		}
		line, _ := in.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if err := c.row(row, direction, file, line, len(c.directions) > first); err != nil {
			return err
		}
	}
	if len(c.directions) == first {
		return wrong(file, 2, "the direction has no row: one with an empty chain and its names")
	}
	return nil
}

func (c *Catalogue) row(row []string, direction, file string, line int, named bool) error {
	chain, node, zh, en := row[0], row[1], row[3], row[4]
	words := list(row[5])
	if zh == "" || en == "" {
		return wrong(file, line, "a name is missing; fill in zh and en")
	}
	if w := twice(words); w != "" {
		return wrong(file, line, "the word %s is there twice", w)
	}
	if node == "" && row[2]+row[6]+row[7]+row[8] != "" {
		return wrong(file, line, "only nodes have a stage, codes, words without and supplied nodes")
	}
	switch {
	case chain == "" && node != "":
		return wrong(file, line, "the node %s has no sub-chain", node)
	case chain == "" && named:
		return wrong(file, line, "the direction is named a second time; give the sub-chain of this row")
	case chain == "":
		c.directions = append(c.directions, Direction{direction, zh, en, words})
		return nil
	case !named:
		return wrong(file, line, "the direction must be named before its sub-chains")
	case !codeRE.MatchString(chain):
		return wrong(file, line, "%s is no code; use small letters and digits", chain)
	case node == "":
		id := direction + "." + chain
		if slices.ContainsFunc(c.chains, func(x Chain) bool { return x.ID == id }) {
			return wrong(file, line, "the sub-chain %s is there twice", id)
		}
		c.chains = append(c.chains, Chain{ID: id, Direction: direction, Zh: zh, En: en, Words: words})
		return nil
	case !codeRE.MatchString(node):
		return wrong(file, line, "%s is no code; use small letters and digits", node)
	}
	return c.node(row, direction, file, line)
}

func (c *Catalogue) node(row []string, direction, file string, line int) error {
	id := direction + "." + row[0] + "." + row[1]
	n := Node{
		ID: id, Direction: direction, Chain: direction + "." + row[0], Zh: row[3], En: row[4], Stage: Stage(row[2]),
		Words: list(row[5]), Codes: list(row[6]), Without: list(row[7]), Feeds: list(row[8]), line: line,
	}
	if !slices.Contains(n.Words, n.Zh) {
		n.Words = append([]string{n.Zh}, n.Words...)
	}
	for _, w := range slices.Concat(n.Words, n.Without) {
		if len(fold(w)) == 0 {
			return wrong(file, line, "the word %s has neither letters nor digits", w)
		}
	}
	if n.Stage != Upstream && n.Stage != Midstream && n.Stage != Downstream {
		return wrong(file, line, "the stage %q is not one of up, mid and down", row[2])
	}
	for _, code := range n.Codes {
		if !gbRE.MatchString(code) {
			return wrong(file, line, "%s is no code of GB/T 4754, such as C3670", code)
		}
	}
	if code := twice(n.Codes); code != "" {
		return wrong(file, line, "the code %s is there twice", code)
	}
	at := len(c.chains) - 1
	if at < 0 || c.chains[at].ID != n.Chain {
		return wrong(file, line, "the node %s must stand below the row of its sub-chain", id)
	}
	if _, ok := c.byID[id]; ok {
		return wrong(file, line, "the node %s is there twice", id)
	}
	c.byID[id] = len(c.nodes)
	c.chains[at].Nodes = append(c.chains[at].Nodes, id)
	c.nodes = append(c.nodes, n)
	return nil
}

// connect resolves the short names of supplied nodes and checks what spans rows.
func (c *Catalogue) connect() error {
	for i := range c.nodes {
		n := &c.nodes[i]
		file := Folder + "/" + n.Direction + ".csv"
		for j, to := range n.Feeds {
			switch strings.Count(to, ".") {
			case 0:
				to = n.Chain + "." + to
			case 1:
				to = n.Direction + "." + to
			}
			if _, ok := c.byID[to]; !ok {
				return wrong(file, n.line, "the node %s supplies %s, which is not in the catalogue", n.ID, n.Feeds[j])
			}
			if to == n.ID || slices.Contains(n.Feeds[:j], to) {
				return wrong(file, n.line, "the node %s supplies %s twice, or itself", n.ID, to)
			}
			n.Feeds[j] = to
			c.fedBy[to] = append(c.fedBy[to], n.ID)
		}
	}
	for _, x := range c.chains {
		if len(x.Nodes) == 0 {
			return wrong(Folder+"/"+x.Direction+".csv", 1, "the sub-chain %s has no node", x.ID)
		}
	}
	return nil
}

// index builds what Place looks up.
func (c *Catalogue) index() {
	c.words = newTrie()
	for i, d := range c.directions {
		for _, w := range append([]string{d.Zh}, d.Words...) {
			c.words.add(w, target{direction: i, node: -1})
		}
	}
	at := map[string]int{}
	for i, d := range c.directions {
		at[d.Code] = i
	}
	for _, x := range c.chains {
		for _, w := range x.Words {
			c.words.add(w, target{direction: at[x.Direction], node: -1})
		}
	}
	for i, n := range c.nodes {
		c.direction = append(c.direction, at[n.Direction])
		var without [][]rune
		for _, w := range n.Without {
			without = append(without, fold(w))
		}
		c.without = append(c.without, without)
		for _, w := range n.Words {
			c.words.add(w, target{direction: at[n.Direction], node: i})
		}
		for _, code := range n.Codes {
			for k := 3; k <= len(code); k++ {
				if ids := c.byCode[code[:k]]; len(ids) == 0 || ids[len(ids)-1] != i {
					c.byCode[code[:k]] = append(ids, i)
				}
			}
		}
	}
	c.words.seal()
}

// Directions returns the directions in the order of their codes.
func (c *Catalogue) Directions() []Direction { return slices.Clone(c.directions) }

// Chains returns the sub-chains of a direction, or all for "".
func (c *Catalogue) Chains(direction string) []Chain {
	var out []Chain
	for _, x := range c.chains {
		if direction == "" || x.Direction == direction {
			out = append(out, x)
		}
	}
	return out
}

// Nodes returns every node, direction by direction and from upstream to downstream
// as the files have them.
func (c *Catalogue) Nodes() []Node { return slices.Clone(c.nodes) }

// Node returns a node by its id, and false when there is none.
func (c *Catalogue) Node(id string) (Node, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Node{}, false
	}
	return c.nodes[i], true
}

// Suppliers returns the nodes that supply a node.
func (c *Catalogue) Suppliers(id string) []string { return slices.Clone(c.fedBy[id]) }

// Feeds says whether one node supplies another directly.
func (c *Catalogue) Feeds(from, to string) bool {
	i, ok := c.byID[from]
	return ok && slices.Contains(c.nodes[i].Feeds, to)
}

func list(s string) []string {
	var out []string
	for _, w := range strings.Split(s, "|") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

func twice(words []string) string {
	seen := map[string]bool{}
	for _, w := range words {
		if seen[w] {
			return w
		}
		seen[w] = true
	}
	return ""
}
