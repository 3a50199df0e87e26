package feature_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/feature"
)

var update = flag.Bool("update", false, "write docs/formats/feature.md anew")

const intro = `# Features

What conditions of a policy, decision tables and models can name: every figure that the evidence of a decision is laid
out in. The same code gathers them for a decision and for the rows on which a model is trained. This page is written
from the catalogue in ` + "`credit/feature`" + `; ` + "`go test ./credit/feature -update`" + ` writes it anew.

- **Missing** is not zero. In an expression what is missing reads as ` + "`0`, `\"\"` or `false`, and an age as `99999`" + `, so that no rule
  can fail on it; a cell of a decision table and an input of a model see that it is missing. A feature is missing when its
  part of the evidence is not there (` + "`has_crop`, `has_bureau`" + ` and so on say so), and some when the part says that it does not know.
- **Time.** Ages count to the moment when the evidence was taken. Months of a bank statement count when they are whole and
  before the decision's own month, months of a forecast from it on. Evidence of which a part was seen more than ten minutes
  after the evidence is said to be taken is refused (` + "`feature.later`" + `).
- **Better** is the way that is good for the applicant: ` + "`+`" + ` more, ` + "`-`" + ` less, empty neither. No shipped policy lowers a limit when
  a feature gets better; a property test holds them to it. With a star: the applicant can change it, and
  ` + "`raises`" + ` of a decision may name it.
- **Training.** ` + "`furrow score sample --out F.csv`" + ` writes the features of stored decisions with ` + "`bad`" + `: 1 when the loan was once
  more than 90 days overdue, 0 when it was closed or is a year old without; others are left out and counted. ` + "`furrow score fit`" + ` reads it.
- Amounts are fen, shares 0 to 1, ages whole days.

| name | unit | part | better | formula | meaning | 含义 |
|---|---|---|---|---|---|---|
`

// The page lists every feature as the catalogue tells it.
func TestPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(intro)
	for _, f := range feature.List() {
		better := map[int]string{1: "+", -1: "-", 0: ""}[f.Direction]
		if f.Actionable {
			better += "*"
		}
		_, _ = fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", f.Name, f.Unit, f.Source, better, f.Formula, f.EN, f.ZH)
	}
	const path = "../../docs/formats/feature.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/formats/feature.md differs from the catalogue; write it anew with -update")
	}
}
