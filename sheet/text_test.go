package sheet_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

func text(r io.Reader) (string, error) {
	in, err := sheet.Text(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(in)
	return string(body), err
}

func TestText(t *testing.T) {
	t.Parallel()
	gb := func(s string) string {
		out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	packed := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	plain := strings.Repeat("1,2\n", 40_000) // beyond what is looked at first
	long := strings.Repeat("青穗", 100_000) + "\n"
	for name, c := range map[string]struct {
		body, want string
		err        error
		says       string
	}{
		"nothing":              {"", "", nil, ""},
		"no end":               {"a\n青穗", "a\n青穗", nil, ""},
		"mark":                 {"\ufeff名称\r\n青穗\r\n", "名称\r\n青穗\r\n", nil, ""},
		"UTF-16":               {"\xff\xfeR\x97\n\x00", "青\n", nil, ""},
		"GBK":                  {gb("名称\n青穗,1\n"), "名称\n青穗,1\n", nil, ""},
		"packed GBK":           {packed(gb("名称\n青穗,1\n")), "名称\n青穗,1\n", nil, ""},
		"GBK far down":         {plain + gb("青穗\n"), plain + "青穗\n", nil, ""},
		"a pair of both, GBK":  {"\xc2\xb5\n" + gb("名称\n"), gbText(t, "\xc2\xb5") + "\n名称\n", nil, ""},
		"a pair of both":       {"\u00b5\n名称\n", "\u00b5\n名称\n", nil, ""},
		"a long line":          {long + "x\n", long + "x\n", nil, ""},
		"GBK in UTF-8":         {"名称\n" + plain + gb("青穗\n"), "", sheet.ErrMixed, "line 40002"},
		"UTF-8 in GBK":         {gb("名称\n") + "青穗\n", "", sheet.ErrMixed, "line 2"},
		"neither":              {"名称\n青\xff\xff\n", "", sheet.ErrEncoding, "line 2"},
		"bytes":                {"a\n\x00\n", "", sheet.ErrFormat, ""},
		"a line without end":   {strings.Repeat("1", 2<<20), "", sheet.ErrLongLine, "line 1"},
		"a workbook":           {"PK\x03\x04 and so on", "", sheet.ErrNotText, ""},
		"an old workbook":      {"\xd0\xcf\x11\xe0", "", sheet.ErrOldExcel, ""},
		"gzip that breaks off": {packed(plain)[:60], "", sheet.ErrDamaged, ""},
		"gzip of nothing":      {"\x1f\x8b", "", sheet.ErrDamaged, ""},
	} {
		got, err := text(iotest.HalfReader(strings.NewReader(c.body)))
		if !errors.Is(err, c.err) || c.err == nil && err != nil || c.err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if c.err == nil && got != c.want {
			t.Errorf("%s: %.80q, want %.80q", name, got, c.want)
		}
	}
}

// FuzzText: what is read is UTF-8, whatever the file, or the person hears why not.
func FuzzText(f *testing.F) {
	f.Add([]byte("名称\n\xc7\xe0\xcb\xeb\n"))
	f.Add([]byte("\xff\xfeR\x97\n\x00"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := text(bytes.NewReader(body))
		if err != nil && !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.TooLarge) {
			t.Fatal(err)
		}
		if err == nil && strings.ToValidUTF8(got, "") != got {
			t.Fatalf("%q", got)
		}
	})
}
