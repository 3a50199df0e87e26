package model

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// ErrPoints is a table of scores that cannot be read.
var ErrPoints = fault.New(fault.Invalid, "model.points", "the table of scores cannot be read: {why}")

// ReadPoints reads the column points of a CSV with a head: the scores of the training
// rows. Faults tell name, line and column. It returns ErrPoints.
func ReadPoints(name string, r io.Reader) ([]int, error) {
	c := csv.NewReader(r)
	head, err := c.Read()
	if err != nil {
		return nil, ErrPoints.With("why", err.Error()).At("%s", name)
	}
	at := slices.Index(head, "points")
	if at < 0 {
		return nil, ErrPoints.With("why", "it has no column points; its columns are: "+strings.Join(head, ", ")).At("%s:1", name)
	}
	var out []int
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, ErrPoints.With("why", err.Error()).At("%s", name)
		}
		v, err := strconv.ParseFloat(row[at], 64)
		if err != nil || !(v > -1e7 && v < 1e7) {
			line, column := c.FieldPos(at)
			return nil, ErrPoints.With("why", strconv.Quote(row[at])+" is no number of points").At("%s:%d:%d", name, line, column)
		}
		out = append(out, int(v))
	}
}
