package upload

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/furrowcredit/furrow/chain"
)

// A part of the good rows is a deflated run of rows, each its number and its cleaned
// cells, as lengths and bytes. A part of the bad ones is deflated JSON, one badRow a line,
// of which the first is the header.

// badRow is a row that cannot be committed, as it came, with what is wrong.
type badRow struct {
	Number  int              `json:"n"`
	Cells   []string         `json:"c"`
	Remarks []chain.RowError `json:"e,omitempty"`
}

func pack(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("chain/upload: %w", err)
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, fmt.Errorf("chain/upload: %w", err)
	}
	return raw, nil
}

// appendRow adds a good row to a part.
func appendRow(dst []byte, r row) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.number)) //nolint:gosec // rows count from 1
	for _, c := range r.cells {
		dst = binary.AppendUvarint(dst, uint64(len(c)))
		dst = append(dst, c...)
	}
	return dst
}

// goodRows takes a part of good rows of so many cells apart.
func goodRows(packed []byte, columns int) ([]row, error) {
	raw, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	var (
		all  = string(raw) // the cells are cut out of it
		rows []row
		at   int
	)
	next := func() (int, error) {
		n, size := binary.Uvarint(raw[at:])
		if size <= 0 || n > uint64(len(raw)) && n > 1<<31 {
			return 0, fmt.Errorf("chain/upload: a part is damaged at byte %d", at)
		}
		at += size
		return int(n), nil //nolint:gosec // below 1<<31
	}
	for at < len(raw) {
		r := row{cells: make([]string, columns)}
		if r.number, err = next(); err != nil {
			return nil, err
		}
		for i := range r.cells {
			n, err := next()
			if err != nil {
				return nil, err
			}
			if n > len(all)-at {
				return nil, fmt.Errorf("chain/upload: a part is damaged at byte %d", at)
			}
			r.cells[i] = all[at : at+n]
			at += n
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// appendBad adds a bad row to a part. What is longer than a cell should be is cut.
func appendBad(dst []byte, r badRow) ([]byte, error) {
	for i, c := range r.Cells {
		if runes := []rune(c); len(runes) > maxBadCell {
			r.Cells[i] = string(runes[:maxBadCell])
		}
	}
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("chain/upload: %w", err)
	}
	return append(append(dst, line...), '\n'), nil
}

const maxBadCell = 2000

// badRows takes a part of bad rows apart.
func badRows(packed []byte) ([]badRow, error) {
	raw, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	var rows []badRow
	for line := range bytes.Lines(raw) {
		var r badRow
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("chain/upload: %w", err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}
