package fault

import (
	"encoding/csv"
	"errors"
	"io"
)

// CSV tells why a CSV file called name cannot be read, as file, whose message has
// {why}: with line and column where the syntax is at fault, and io.EOF as an empty file.
func CSV(file *Error, name string, err error) error {
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return file.With("why", syntax.Err).At("%s:%d:%d", name, syntax.Line, syntax.Column)
	case errors.Is(err, io.EOF):
		return file.With("why", "it is empty").At("%s:1:1", name)
	}
	return file.With("why", "it is cut short or damaged").At("%s", name).Because(err)
}
