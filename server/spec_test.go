package server_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/furrowcredit/furrow/server"
)

var update = flag.Bool("update", false, "write the golden files anew")

const specFile = "../api/openapi.yaml"

// The web faces take their types from the committed file: it must be what the
// server serves.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s, err := server.New(server.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(specFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; run: go test ./server -run TestOpenAPI -update", specFile)
	}
}
