package message_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/server/message"
)

func load(t *testing.T) *message.Catalogue {
	t.Helper()
	c, err := message.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	c := load(t)
	for accept, want := range map[string]string{
		"":                        message.Chinese,
		"nonsense;;;":             message.Chinese,
		"zh-CN,zh;q=0.9,en;q=0.8": message.Chinese,
		"zh":                      message.Chinese,
		"zh-TW":                   message.Chinese,
		"en":                      message.English,
		"en-GB,en;q=0.9":          message.English,
		"fr":                      message.Chinese,
		"fr,en;q=0.5":             message.English,
		"en;q=0.2,zh;q=0.9":       message.Chinese,
	} {
		if got := c.Language(accept); got != want {
			t.Errorf("%q: got %s, want %s", accept, got, want)
		}
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	c := load(t)
	locked := fault.New(fault.TooMany, "session.locked", "try again in {minutes} minutes").With("minutes", 15)
	state := fault.New(fault.Conflict, "application.state", "an application that is {state} cannot be moved to {to}").With("state", "refused").With("to", "signed")
	for _, tt := range []struct {
		lang string
		err  error
		want string
	}{
		{"zh-CN", locked, "密码错误次数太多，已暂时锁定，请 15 分钟后再试"},
		{"en", locked, "try again in 15 minutes"},
		{"zh-CN", state, "申请现在是“已拒绝”，不能变为“已签约”"},
		{"en", state, "an application that is refused cannot be moved to signed"},
		{"zh-CN", fault.New(fault.Invalid, "no.such_code", "say {it}").With("it", "so"), "say so"},
		{"zh-CN", errors.New("disk full"), "disk full"},
	} {
		if got := c.Fault(tt.lang, tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.lang, got, tt.want)
		}
	}
}

func TestPhrase(t *testing.T) {
	t.Parallel()
	c := load(t)
	for english, want := range map[string]string{
		"expected integer":                               "应为整数",
		"expected string to be RFC 3339 date":            "应为真实存在的日期，例如 2026-05-31",
		"expected string to be RFC 3339 date-time":       "应为日期时间，例如 2026-05-31T08:00:00Z",
		"expected number >= 1":                           "不能小于 1",
		`expected value to be one of "a, b"`:             "只能是其中之一：a, b",
		"expected required property cause to be present": "缺少必填项 cause",
		"something new":                                  "something new",
	} {
		if got := c.Phrase("zh-CN", english); got != want {
			t.Errorf("%q: got %q, want %q", english, got, want)
		}
		if got := c.Phrase("en", english); got != english {
			t.Errorf("in English %q became %q", english, got)
		}
	}
}

// No code stands in two files, so that nobody mends the wrong one.
func TestCodesStandOnce(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("zh-CN/*.json")
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]string{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		if err := json.Unmarshal(b, &texts); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for code := range texts {
			if other, ok := from[code]; ok {
				t.Errorf("%s stands in %s and %s", code, other, name)
			}
			from[code] = name
		}
	}
}

var placeholder = regexp.MustCompile(`\{[a-z0-9_]+\}`)

// Every fault of the project has Chinese words, with no placeholder that its English
// words do not have: people never read a code, nor braces.
func TestEveryFaultHasWords(t *testing.T) {
	t.Parallel()
	c := load(t)
	faults := sources(t)
	if len(faults) < 100 {
		t.Fatalf("found only %d faults", len(faults))
	}
	for code, english := range faults {
		if !c.Has(message.Chinese, code) {
			t.Errorf("%s has no zh-CN text (%s)", code, english)
			continue
		}
		known := placeholder.FindAllString(english, -1)
		for _, p := range placeholder.FindAllString(c.Text(message.Chinese, code, "", nil), -1) {
			if !slices.Contains(known, p) {
				t.Errorf("%s: the zh-CN text has %s, the English has not", code, p)
			}
		}
	}
}

// sources reads code and message of every fault.New of the project.
func sources(t *testing.T) map[string]string {
	t.Helper()
	faults := map[string]string{}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n == "node_modules" || (strings.HasPrefix(n, ".") && n != ".." && n != ".") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "New" {
				return true
			} else if x, ok := f.X.(*ast.Ident); !ok || x.Name != "fault" {
				return true
			}
			if code := text(call.Args[1]); code != "" {
				faults[code] = text(call.Args[2])
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// text is the value of a string literal, or of literals joined by +.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return ""
}

// The faces show the same words for the codes of a bank as the answers of the API.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := load(t)
	err := fault.New(fault.Conflict, "loan.payment_failed", "the bank refused the payment: {refusal}")
	for _, x := range [][4]string{
		{message.Chinese, "AC04 the payee's account is closed", "银行拒绝了这笔付款：账户已销户"},
		{message.English, "AC04 销户", "the bank refused the payment: the account is closed"},
		{message.Chinese, "XX99 stamp missing", "银行拒绝了这笔付款：银行答复：stamp missing"},
		{message.English, "stamp missing", "the bank refused the payment: the bank says: stamp missing"},
		{message.English, "XX99", "the bank refused the payment: the bank says: XX99"},
	} {
		if got := c.Fault(x[0], err.With("refusal", x[1])); got != x[2] {
			t.Errorf("%s in %s: %s", x[1], x[0], got)
		}
	}
	for _, lang := range []string{message.Chinese, message.English} {
		b, err := os.ReadFile("../../dashboard/shared/src/locales/" + lang + "/domain.json")
		if err != nil {
			t.Fatal(err)
		}
		var face struct{ Refusal map[string]string }
		if err := json.Unmarshal(b, &face); err != nil {
			t.Fatal(err)
		}
		for code, text := range face.Refusal {
			if code != "said" && c.Refusal(lang, code) != text {
				t.Errorf("%s in %s: a face says %q, the API %q", code, lang, text, c.Refusal(lang, code))
			}
		}
		if len(face.Refusal) < 10 || c.Has(lang, "refusal.AC04") != (face.Refusal["AC04"] != "") {
			t.Errorf("%s: %d codes", lang, len(face.Refusal))
		}
	}
}
