package benchtable_test

import (
	"os"
	"testing"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// spy is a benchmark that may fail.
type spy struct {
	testing.TB
	failed bool
}

func (*spy) Helper()                 {}
func (s *spy) Errorf(string, ...any) { s.failed = true }

func TestAddFailsWhoMisses(t *testing.T) {
	t.Parallel()
	var book benchtable.Book
	table, s := book.Page("Ploughing", "h"), &spy{TB: t}
	table.Add(s, benchtable.Row{What: "by tractor", Values: []string{"1"}, Target: "at most 2 h"})
	if s.failed {
		t.Error("a target that is met fails")
	}
	table.Add(s, benchtable.Row{What: "by ox", Values: []string{"9"}, Target: "at most 2 h", Missed: true})
	if !s.failed {
		t.Error("a target that is missed does not fail")
	}
}

func ExampleBook_Print() {
	var book benchtable.Book
	table, b := book.Page("Ploughing a mu", "hours", "diesel"), &spy{}
	table.Add(b, benchtable.Row{What: "tractor", Values: []string{"0.5", "1.2 l"}, Target: "at most 2 h"})
	table.Add(b, benchtable.Row{What: "ox", Values: []string{"9.0", ""}, Target: "at most 2 h", Missed: true})
	table.Add(b, benchtable.Row{What: "spade", Values: []string{"40.0", ""}})
	_ = book.Print(os.Stdout)
	// Output:
	// Ploughing a mu
	// what     hours  diesel  target
	// tractor  0.5    1.2 l   at most 2 h ok
	// ox       9.0            at most 2 h MISSED
	// spade    40.0
}
