package sheet

import (
	"bytes"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// Write makes an XLSX whose only sheet has these rows, the first one as its header. All
// cells are text, so that long numbers stay whole.
func Write(name string, rows [][]string) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // it lives in memory only
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	w, err := f.NewStreamWriter(name)
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	textStyle, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // "@"
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	bold, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	if len(rows) > 0 {
		if err := w.SetColWidth(1, max(len(rows[0]), 1), 22); err != nil {
			return nil, fmt.Errorf("sheet: %w", err)
		}
	}
	for i, row := range rows {
		style := textStyle
		if i == 0 {
			style = bold
		}
		cells := make([]any, len(row))
		for j, v := range row {
			cells[j] = excelize.Cell{Value: v, StyleID: style}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			return nil, fmt.Errorf("sheet: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	return out.Bytes(), nil
}
