package feature

// Names are the features that a model can be trained on: all but lists.
func Names() []string {
	var out []string
	for i := range list {
		if _, ok := Lookup(list[i].Name); ok {
			out = append(out, list[i].Name)
		}
	}
	return out
}

// Row gives the cells of a table of training for those names: what is missing is an
// empty cell. The code is that of a decision.
func Row(f *Facts, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		if read, ok := Lookup(name); ok {
			out[i] = read(f).String()
		}
	}
	return out
}
