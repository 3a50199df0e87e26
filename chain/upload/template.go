package upload

import (
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/sheet"
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
	return sheet.Write(title(kind), [][]string{header, sample})
}

// Template is the package function, for callers that hold the service.
func (s *Service) Template(kind chain.DocKind) ([]byte, error) { return Template(kind) }

func title(kind chain.DocKind) string {
	switch kind {
	case chain.Suppliers:
		return "供应商与经销商"
	case chain.Contract:
		return "合同"
	case chain.Confirmation:
		return "应付确认"
	case chain.Order:
		return "订单"
	case chain.Delivery:
		return "收货"
	case chain.Invoice:
		return "发票"
	case chain.Payment:
		return "付款"
	case chain.Statement: // it comes from documents, not from tables
	}
	return string(kind)
}
