package fault

import (
	"encoding/csv"
	"errors"
	"io"
)

// CSV tells why a CSV file called name cannot be read, as file, whose message has
// {why}: with line and column where the syntax is at fault, io.EOF as an empty file, and
// what the reader beneath says itself (encodings, limits) in its own words.
func CSV(file *Error, name string, err error) error {
	var syntax *csv.ParseError
	var beneath *Error
	switch {
	case errors.As(err, &syntax):
		return file.With("why", syntax.Err).At("%s:%d:%d", name, syntax.Line, syntax.Column)
	case errors.Is(err, io.EOF):
		return file.With("why", "it is empty").At("%s:1:1", name)
	case errors.As(err, &beneath):
		return file.With("why", err).At("%s", name)
	}
	return file.With("why", "it is cut short or damaged").At("%s", name).Because(err)
}
