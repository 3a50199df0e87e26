package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Split returns ErrMerged when cells below a row of Rows are merged: nobody knows whether
// their text is of every row or of the first.
func (t *Table) Split(row int) error {
	for _, m := range t.Merged {
		if m.LastRow >= t.Rows[row].Number {
			return ErrMerged.With("range", m.Range).At("%s", m.Range)
		}
	}
	return nil
}

var mergeCell = regexp.MustCompile(`<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+[0-9]+):([A-Z]+[0-9]+)"`)

// merged lists the merged ranges of a sheet. It reads them from the archive
// itself: excelize would unfold every row of the sheet to its full width first,
// which a small hostile file can blow up to gigabytes.
func merged(archive *zip.Reader, sheet string) ([]Merged, error) {
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Attr []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := readPart(archive, "xl/workbook.xml", &book); err != nil {
		return nil, err
	}
	var rels struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if err := readPart(archive, "xl/_rels/workbook.xml.rels", &rels); err != nil {
		return nil, err
	}
	target := ""
	for _, s := range book.Sheets {
		for _, a := range s.Attr {
			for _, r := range rels.Relationship {
				if s.Name == sheet && a.Name.Local == "id" && a.Value == r.ID {
					target = r.Target
				}
			}
		}
	}
	if !strings.HasPrefix(target, "/") {
		target = path.Join("xl", target)
	}
	raw, err := part(archive, strings.TrimPrefix(target, "/"))
	if err != nil {
		return nil, err
	}
	var out []Merged
	_, tail, _ := bytes.Cut(raw, []byte("sheetData>")) // the ranges come after the rows
	for _, m := range mergeCell.FindAllSubmatch(tail, 1000) {
		from, to := string(m[1]), string(m[2])
		_, row, err := excelize.CellNameToCoordinates(to)
		if err != nil {
			return nil, ErrDamaged.Because(err)
		}
		out = append(out, Merged{from + ":" + to, row})
	}
	return out, nil
}

func readPart(archive *zip.Reader, name string, into any) error {
	raw, err := part(archive, name)
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(raw, into); err != nil {
		return ErrDamaged.Because(err)
	}
	return nil
}

func part(archive *zip.Reader, name string) ([]byte, error) {
	for _, f := range archive.File {
		if !strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, ErrDamaged.Because(err)
		}
		defer r.Close() //nolint:errcheck // it was only read
		raw, err := io.ReadAll(io.LimitReader(r, maxUnzip))
		if err != nil {
			return nil, ErrDamaged.Because(err)
		}
		return raw, nil
	}
	return nil, ErrDamaged
}
