package frame_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/fault"
)

func ExampleRead() {
	f, err := frame.Read(strings.NewReader("firm,sales,since,trade,bad\nA,\"$1,200\",2019-03-01,tea,no\nB,NA,2021-11-30,?,yes\n"), "firms.csv")
	if err != nil {
		panic(err)
	}
	for i := range f.Columns {
		c := &f.Columns[i]
		fmt.Println(c.Name, c.Kind, c.Text(0), c.IsMissing(1))
	}
	// Output:
	// firm category A false
	// sales number 1200 true
	// since date 2019-03-01 false
	// trade category tea true
	// bad category no false
}

func table(t *testing.T, text string) *frame.Frame {
	t.Helper()
	f, err := frame.Read(strings.NewReader(text), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestErrorsNameThePlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, place string }{
		"empty":       {"", "t.csv:1:1"},
		"head only":   {"a,b\n", "t.csv"},
		"short row":   {"a,b\n1,2\n3\n", "t.csv:3:1"},
		"long row":    {"a,b\n1,2,3\n", "t.csv:2:1"},
		"open quote":  {"a,b\n1,\"2\n", "t.csv:2:6"},
		"bare quote":  {"a,b\n1,2\"3\n", "t.csv:2:4"},
		"same name":   {"a,b,a\n1,2,3\n", "t.csv:1:5"},
		"nameless":    {"a,,c\n1,2,3\n", "t.csv:1:3"},
		"semicolons":  {"a;b\n1;2;3\n", "t.csv:2:1"},
		"cut in zero": {"a,b\n1,2\n\x00", "t.csv:3:1"},
	} {
		_, err := frame.Read(strings.NewReader(c.text), "t.csv")
		var f *fault.Error
		if !errors.As(err, &f) || !errors.Is(err, fault.Invalid) || f.Place != c.place {
			t.Errorf("%s: got %v, want the place %s", name, err, c.place)
		}
	}
}

func TestKindsAreFound(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("\xef\xbb\xbfmany;stray;mixed;many_then_text\n")
	for i := range 20000 {
		stray, last := fmt.Sprint(i%300), fmt.Sprint(float64(i)/8)
		if i == 17 {
			stray = "#DIV/0!"
		}
		if i == 19999 {
			last = "none"
		}
		fmt.Fprintf(&b, "%d.5;%s;%s;%s\n", i, stray, []string{"7", "x"}[i%2], last)
	}
	f := table(t, b.String())
	kinds := ""
	for i := range f.Columns {
		kinds += f.Columns[i].Kind.String() + " "
	}
	if kinds != "number number category number " {
		t.Errorf("kinds %s", kinds)
	}
	stray, _ := f.Column("stray")
	if stray.Strays != 1 || !math.IsNaN(stray.Num[17]) {
		t.Errorf("a stray cell is %v, %d strays", stray.Num[17], stray.Strays)
	}
}

func TestChineseTables(t *testing.T) {
	t.Parallel()
	// 企业,违约 and a row 甲,是 in GB18030.
	f := table(t, "\xc6\xf3\xd2\xb5,\xce\xa5\xd4\xbc\n\xbc\xd7,\xca\xc7\n\xd2\xd2,\xb7\xf1\n")
	o, err := f.Outcome("违约", "")
	if err != nil || !o.Bad[0] || o.Bad[1] {
		t.Fatalf("got %v, %v", o, err)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	f := table(t, "one,two,three,lost,y,n\n1,a,1,1,0,1\n1,b,2,,1,1.0\n1,a,3,0,0,2\n")
	for column, want := range map[string]string{
		"one": "one value only", "two": "which of its values", "three": "more than two values", "lost": "row 2", "absent": "no column",
	} {
		if _, err := f.Outcome(column, ""); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, want %q", column, err, want)
		}
	}
	if o, err := f.Outcome("y", ""); err != nil || o.Value != "1" || !o.Bad[1] || o.Bad[0] {
		t.Errorf("got %v, %v", o, err)
	}
	if o, err := f.Outcome("two", "b"); err != nil || !o.Bad[1] {
		t.Errorf("got %v, %v", o, err)
	}
	if _, err := f.Outcome("two", "c"); err == nil {
		t.Error("a bad value that no row has was taken")
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	f, labels := table(t, "firm,x\nA,1\nB,2\nC,3\n"), table(t, "code,bad\nC,1\nA,0\n")
	got, lost, err := f.Join(labels, "firm", "code")
	if err != nil || lost != 1 || got.Rows != 2 {
		t.Fatalf("%v, %d lost, %v", got, lost, err)
	}
	if bad, _ := got.Column("bad"); bad.Num[0] != 0 || bad.Num[1] != 1 {
		t.Errorf("outcomes %v", bad.Num)
	}
	for name, other := range map[string]string{"twice": "code,bad\nA,1\nA,0\n", "no partner": "code,bad\nX,1\n", "same column": "code,x\nA,1\n"} {
		if _, _, err := f.Join(table(t, other), "firm", "code"); !errors.Is(err, frame.ErrKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\xef\xbb\xbfa;b\n1;x\n;NA\n"))
	f.Add([]byte("\xc6\xf3\tb\n2026-01-01\t$1,000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := frame.Read(strings.NewReader(string(b)), "f.csv")
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatalf("an error that nobody can act on: %v", err)
			}
			return
		}
		for i := range got.Columns {
			c := &got.Columns[i]
			if len(c.Num)+len(c.Code) != got.Rows {
				t.Fatalf("column %q has %d cells of %d rows", c.Name, len(c.Num)+len(c.Code), got.Rows)
			}
			for r := range got.Rows {
				_ = c.Text(r)
			}
		}
		_ = got.Hash()
	})
}
