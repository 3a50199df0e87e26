package upload

import (
	"bytes"
	"fmt"

	"github.com/xuri/excelize/v2"

	"github.com/furrowcredit/furrow/chain"
)

// Template makes the XLSX that an anchor fills in: Chinese headers, required ones
// marked *, and one sample row, all cells text so that long numbers stay whole.
func Template(kind chain.DocKind) ([]byte, error) {
	columns, err := Columns(kind)
	if err != nil {
		return nil, err
	}
	header, sample := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		header[i], sample[i] = c.Zh, c.Sample
		if c.Required {
			header[i] = "*" + c.Zh
		}
	}
	return Sheet(title(kind), [][]string{header, sample})
}

// Sheet writes rows of text into the only sheet of a new XLSX, the first row as
// its header.
func Sheet(name string, rows [][]string) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // it lives in memory only
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	w, err := f.NewStreamWriter(name)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	textStyle, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // "@"
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	bold, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	if len(rows) > 0 {
		if err := w.SetColWidth(1, max(len(rows[0]), 1), 22); err != nil {
			return nil, fmt.Errorf("upload: %w", err)
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
			return nil, fmt.Errorf("upload: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return out.Bytes(), nil
}

// Template is the package function, for callers that hold the service.
func (s *Service) Template(kind chain.DocKind) ([]byte, error) { return Template(kind) }

func title(kind chain.DocKind) string {
	switch kind {
	case chain.Suppliers:
		return "供应商"
	case chain.Order:
		return "订单"
	case chain.Delivery:
		return "收货"
	case chain.Invoice:
		return "发票"
	case chain.Payment:
		return "付款"
	}
	return string(kind)
}
