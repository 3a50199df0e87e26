package credit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/furrowcredit/furrow/fault"
)

// ErrEvidence is returned for evidence that has no canonical form (a number that is
// not finite) or for stored bytes that are not evidence.
var ErrEvidence = fault.New(fault.Invalid, "evidence.form", "the evidence cannot be read or written")

// Canonical gives the bytes that are frozen and hashed: JSON with fields in the order
// of the types, map keys sorted, the shortest numbers that read back to the same
// value, and times in UTC. hash is their SHA-256 in hex. Reading the bytes with
// [Read] and writing them again gives the same bytes.
func Canonical(ev Evidence) (bytes []byte, hash string, err error) {
	ev.TakenAt = ev.TakenAt.UTC()
	b, err := json.Marshal(ev)
	if err != nil {
		return nil, "", ErrEvidence.Because(err)
	}
	return b, Hash(b), nil
}

// Hash is the SHA-256 of frozen bytes, in hex.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Read decodes frozen bytes.
func Read(b []byte) (Evidence, error) {
	var ev Evidence
	if err := json.Unmarshal(b, &ev); err != nil {
		return Evidence{}, ErrEvidence.Because(fmt.Errorf("decode: %w", err))
	}
	return ev, nil
}
