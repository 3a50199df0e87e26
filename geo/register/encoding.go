package register

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Encoding is the character set of a file's attributes.
type Encoding string

// The encodings of Chinese files. GB18030 holds GBK and GB 2312 within it.
const (
	UTF8 Encoding = "UTF-8"
	GBK  Encoding = "GBK"
	Big5 Encoding = "Big5"
)

// text reads the bytes as the encoding says; bytes that it cannot hold become U+FFFD.
func (e Encoding) text(s string) string {
	var from encoding.Encoding
	switch e {
	case GBK:
		from = simplifiedchinese.GB18030
	case Big5:
		from = traditionalchinese.Big5
	case UTF8:
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	out, err := from.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return out
}

// holds says whether the bytes are text of the encoding.
func (e Encoding) holds(s string) bool {
	if e == UTF8 {
		return utf8.ValidString(s)
	}
	return !strings.ContainsRune(e.text(s), '\uFFFD')
}

// codePage reads the word of a .cpg file: "UTF-8", "65001", "CP936", "GB2312",
// "950", "OEM 936"; "" for others.
func codePage(cpg []byte) Encoding {
	w := strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(string(cpg), "\uFEFF")))
	w = strings.NewReplacer("-", "", "_", "", " ", "").Replace(w)
	for _, prefix := range []string{"OEM", "ANSI", "CP", "MS", "WINDOWS"} {
		w = strings.TrimPrefix(w, prefix)
	}
	switch w {
	case "UTF8", "65001":
		return UTF8
	case "GBK", "936", "GB2312", "GB18030", "54936", "EUCCN":
		return GBK
	case "BIG5", "950", "BIG5HKSCS":
		return Big5
	}
	return ""
}

// languageDriver reads byte 29 of the head of a dBASE table, the language driver
// id; "" where it says nothing of Chinese. Western ids stand in so many tables that
// hold Chinese that they count as saying nothing.
func languageDriver(head []byte) Encoding {
	if len(head) < 30 {
		return ""
	}
	switch head[29] {
	case 0x4D, 0x7A:
		return GBK
	case 0x4F, 0x78:
		return Big5
	}
	return ""
}

// declared is what a Shapefile says of the encoding of each of its layers, by the
// name of the layer in lower case: its .cpg file, else the head of its .dbf table.
func declared(path string) map[string]Encoding {
	cpg, dbf := map[string][]byte{}, map[string][]byte{}
	take := func(name string, open func() (io.ReadCloser, error)) {
		ext := strings.ToLower(filepath.Ext(name))
		to := map[string]map[string][]byte{".cpg": cpg, ".dbf": dbf}[ext]
		if to == nil {
			return
		}
		r, err := open()
		if err != nil {
			return // OGR says what is wrong with the file
		}
		defer func() { _ = r.Close() }()
		head, err := io.ReadAll(io.LimitReader(r, 32))
		if err == nil {
			to[layerName(name)] = head
		}
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip":
		z, err := zip.OpenReader(path)
		if err != nil {
			return nil
		}
		defer func() { _ = z.Close() }()
		for _, f := range z.File {
			take(f.Name, f.Open)
		}
	case ".shp":
		stem := strings.TrimSuffix(path, filepath.Ext(path))
		for _, ext := range []string{".cpg", ".CPG", ".dbf", ".DBF"} {
			take(stem+ext, func() (io.ReadCloser, error) { return os.Open(stem + ext) })
		}
	}
	out := map[string]Encoding{}
	for layer, head := range dbf {
		out[layer] = languageDriver(head)
		if e := codePage(cpg[layer]); e != "" {
			out[layer] = e
		}
	}
	return out
}

func layerName(file string) string {
	base := filepath.Base(file)
	return strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
}

// decide is the encoding of a layer's texts: the declared one unless they are none
// of it, else UTF-8 where all of them are valid, else GBK.
func decide(said Encoding, texts func(yield func(string) bool)) Encoding {
	fits := map[Encoding]bool{UTF8: true, GBK: true, Big5: true}
	ascii := true
	for s := range texts {
		plain := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
		if plain {
			continue
		}
		ascii = false
		fits[UTF8] = fits[UTF8] && UTF8.holds(s)
		if said != "" && said != UTF8 {
			fits[said] = fits[said] && said.holds(s)
		}
	}
	switch {
	case said == "" && ascii, said == "" && fits[UTF8]:
		return UTF8
	case said != "" && fits[said]:
		return said
	case fits[UTF8]:
		return UTF8
	}
	return GBK
}
