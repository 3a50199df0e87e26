package boundary_test

import (
	"context"
	"testing"

	"github.com/furrowcredit/furrow/geo/boundary"
)

// BenchmarkSuggest is one tap on the made land of twelve dates.
func BenchmarkSuggest(b *testing.B) {
	f := boundary.New(made{fields: strips(), dates: 12}.catalogue(b))
	at := place(b, 40, 60)
	for b.Loop() {
		if _, err := f.Suggest(context.Background(), at, all); err != nil {
			b.Fatal(err)
		}
	}
}
