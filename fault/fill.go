package fault

import "strings"

// fill replaces {name} in msg by value.
func fill(msg, name, value string) string {
	return strings.ReplaceAll(msg, "{"+name+"}", value)
}

// Fill replaces every {name} of a translated message by its value in args.
func Fill(msg string, args map[string]string) string {
	for k, v := range args {
		msg = fill(msg, k, v)
	}
	return msg
}
