package creditbench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// table is one of the example's tables: tests of its inputs, and what a row gives. The
// first row that fits answers; "-" fits everything.
type table struct {
	name   string
	inputs []string
	tests  [][]string
	gives  []int
}

// The facts of the case: what it is called in each engine is the input's name.
var example = map[string]any{
	"on_time": 98, "late": 0, "use_now": 25, "use_mean": 40, "inquiries": 0, "years": 4, "verified": true, "now": 5000,
}

var tables = []table{
	{"payment", []string{"on_time", "late"}, [][]string{
		{">= 95", "<= 0"}, {">= 90", "<= 1"}, {">= 80", "<= 2"}, {">= 70", "<= 3"}, {"-", "-"},
	}, []int{30, 20, 0, -10, -30}},
	{"usage", []string{"use_now", "use_mean"}, [][]string{
		{"< 30", "< 50"}, {"[30..50)", "[50..70)"}, {"[50..70)", "[70..85)"}, {"[70..85)", "[85..95)"}, {"-", "-"},
	}, []int{25, 15, 0, -15, -25}},
	{"behaviour", []string{"inquiries", "years", "verified"}, [][]string{
		{"< 1", ">= 3", "true"}, {"< 2", ">= 2", "true"}, {"< 3", ">= 1", "-"}, {"< 4", "< 1", "false"}, {"-", "-", "-"},
	}, []int{25, 15, 5, -10, -20}},
	{"change", []string{"total"}, [][]string{
		{"> 50"}, {"> 40"}, {"> 30"}, {"> 20"}, {"> 10"}, {"> 0"}, {"> -10"}, {"> -20"}, {"> -30"}, {"> -40"}, {"-"},
	}, []int{30, 25, 20, 15, 10, 5, 0, -5, -10, -15, -20}},
}

// condition writes a row as an expression of a language with that "and"; "" fits all.
func (t *table) condition(row int, and string) string {
	var parts []string
	for i, test := range t.tests[row] {
		name := t.inputs[i]
		switch {
		case test == "-":
		case test == "true":
			parts = append(parts, name)
		case test == "false":
			parts = append(parts, "!"+name)
		case strings.HasPrefix(test, "["):
			lo, hi, _ := strings.Cut(strings.Trim(test, "[)"), "..")
			parts = append(parts, name+" >= "+lo, name+" < "+hi)
		default:
			parts = append(parts, name+" "+test)
		}
	}
	return strings.Join(parts, " "+and+" ")
}

// furrow names the facts of the house that stand for those of the example.
var furrow = map[string]string{
	"on_time": "oldest_months", "late": "overdue_months", "use_now": "open_loans", "use_mean": "lenders",
	"inquiries": "queries_6m", "years": "judgments", "verified": "has_bureau", "total": "total",
}

// policy writes the tables as a policy file.
func policyFile() []byte {
	var b strings.Builder
	b.WriteString("name: adjust\nversion: \"1\"\nformat: 2\nsubject: firm\nvalues: {total: payment + usage + behaviour}\ntables:\n")
	for _, t := range tables {
		var in []string
		for _, x := range t.inputs {
			in = append(in, furrow[x])
		}
		fmt.Fprintf(&b, "  - name: %s\n    hit: first\n    inputs: [%s]\n    outputs: {points: int}\n    rows:\n", t.name, strings.Join(in, ", "))
		for i, row := range t.tests {
			var cells []string
			for _, c := range row {
				cells = append(cells, strconv.Quote(c))
			}
			fmt.Fprintf(&b, "      - [%s, %d]\n", strings.Join(cells, ", "), t.gives[i])
		}
	}
	b.WriteString(`limit:
  base: {code: now, fen: asked, en: "The limit is {yuan} yuan now.", zh: "{yuan}"}
  factors:
    - {code: change, bp: 10000 + change * 100, args: {points: total}, en: "With {points} points it becomes {percent}.", zh: "{percent}"}
  round_fen: 100
`)
	return []byte(b.String())
}

// graph writes the tables as a document of ZEN.
func graph() []byte {
	type m = map[string]any
	nodes := []m{{"id": "in", "type": "inputNode", "name": "in", "content": m{}}}
	edges := []m{}
	last := "in"
	link := func(n m) {
		nodes = append(nodes, n)
		edges = append(edges, m{"id": fmt.Sprint("e", len(edges)), "type": "edge", "sourceId": last, "targetId": n["id"]})
		last = n["id"].(string)
	}
	expression := func(name, key, value string, pass bool) m {
		return m{"id": name, "type": "expressionNode", "name": name, "content": m{
			"expressions": []m{{"id": name + "-x", "key": key, "value": value}}, "passThrough": pass, "executionMode": "single",
		}}
	}
	for _, t := range tables {
		if t.name == "change" {
			link(expression("sum", "total", "payment + usage + behaviour", true))
		}
		in, out := []m{}, []m{{"id": "o", "name": t.name, "field": t.name}}
		for i, x := range t.inputs {
			in = append(in, m{"id": fmt.Sprint("i", i), "name": x, "field": x})
		}
		rules := []m{}
		for r, row := range t.tests {
			rule := m{"_id": fmt.Sprint(t.name, r), "o": strconv.Itoa(t.gives[r])}
			for i, c := range row {
				if c == "-" {
					c = ""
				}
				rule[fmt.Sprint("i", i)] = c
			}
			rules = append(rules, rule)
		}
		link(m{"id": t.name, "type": "decisionTableNode", "name": t.name, "content": m{
			"hitPolicy": "first", "inputs": in, "outputs": out, "rules": rules, "passThrough": true, "executionMode": "single",
		}})
	}
	link(expression("new", "limit", "now + round(now * change / 100)", false))
	b, err := json.Marshal(m{"nodes": nodes, "edges": edges})
	if err != nil {
		panic(err)
	}
	return b
}
