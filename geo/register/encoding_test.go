package register

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzDeclared(f *testing.F) {
	f.Add([]byte("UTF-8"), make([]byte, 32))
	f.Add([]byte("OEM 936\r\n"), []byte{3, 29: 0x4D})
	f.Add([]byte(nil), []byte{3})
	f.Fuzz(func(t *testing.T, cpg, dbf []byte) {
		dir := t.TempDir()
		for name, body := range map[string][]byte{"a.cpg": cpg, "a.dbf": dbf} {
			if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		switch e := declared(filepath.Join(dir, "a.shp"))["a"]; e {
		case "", UTF8, GBK, Big5:
		default:
			t.Errorf("%q", e)
		}
	})
}

func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"3.5", "1,234.5㎡", "５亩", "-1", "NaN", "1e400", "ha"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, unit, ok := quantity(s)
		if ok && !(v > 0 && v < 1e12 && unit >= 0) {
			t.Errorf("%q: %v of %v", s, v, unit)
		}
		header(s)
	})
}
