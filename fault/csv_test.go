package fault_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

func ExampleCSV() {
	table := fault.New(fault.Invalid, "example.table", "the table cannot be read: {why}")
	_, err := csv.NewReader(strings.NewReader("plot,mu\n1,\"2\"0\n")).ReadAll()
	fmt.Println(fault.CSV(table, "plots.csv", err))
	fmt.Println(fault.CSV(table, "plots.csv", io.EOF))
	fmt.Println(fault.CSV(table, "plots.csv.gz", io.ErrUnexpectedEOF))
	mixed := fault.New(fault.Invalid, "example.mixed", "line 3 is in GBK and the lines before it in UTF-8")
	fmt.Println(fault.CSV(table, "plots.csv", mixed))
	fmt.Println(errors.Is(fault.CSV(table, "plots.csv", err), table))
	// Output:
	// plots.csv:2:5: the table cannot be read: extraneous or missing " in quoted-field
	// plots.csv:1:1: the table cannot be read: it is empty
	// plots.csv.gz: the table cannot be read: it is cut short or damaged: unexpected EOF
	// plots.csv: the table cannot be read: line 3 is in GBK and the lines before it in UTF-8
	// true
}
