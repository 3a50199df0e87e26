package contract_test

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/contract"
)

func chainOf(t *testing.T, house *contract.House, n int) []contract.Signature {
	t.Helper()
	var chain []contract.Signature
	nr, hash := int64(0), ""
	for range n {
		s, err := contract.Seal(contract.Signature{
			Tenant: "county", ApplicationID: "a", Party: contract.Borrower, UserID: "u", Name: "王", By: "u",
			At: time.Date(2024, 2, 29, 8, 0, 0, 0, time.UTC), Device: "phone", Address: contract.Address("a", "192.0.2.1"),
			Identity: contract.ByPassword, Document: "d", Text: "t", Language: "zh-CN", Consents: []string{"c"},
			Seen: contract.Seen{Rate: true, Seconds: 40, End: true},
		}, nr, hash, house)
		if err != nil {
			t.Fatal(err)
		}
		chain, nr, hash = append(chain, s), s.Nr, s.Hash
	}
	return chain
}

func check(chain []contract.Signature, keys map[string]ed25519.PublicKey) error {
	previous := ""
	for _, s := range chain {
		if err := s.Check(previous, keys); err != nil {
			return err
		}
		previous = s.Hash
	}
	return nil
}

func house(t *testing.T) *contract.House {
	t.Helper()
	h, err := contract.OpenHouse(filepath.Join(t.TempDir(), "contract.key"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Whatever is changed in a chain, somebody who checks it finds.
func TestTamperedSignaturesAreFound(t *testing.T) {
	t.Parallel()
	h, other := house(t), house(t)
	keys := map[string]ed25519.PublicKey{h.ID: h.Public(), other.ID: other.Public()}
	if err := check(chainOf(t, h, 3), keys); err != nil {
		t.Fatal(err)
	}
	for name, tamper := range map[string]func(c []contract.Signature) []contract.Signature{
		"who":          func(c []contract.Signature) []contract.Signature { c[1].Name = "李"; return c },
		"when":         func(c []contract.Signature) []contract.Signature { c[1].At = c[1].At.Add(time.Second); return c },
		"device":       func(c []contract.Signature) []contract.Signature { c[1].Device = ""; return c },
		"document":     func(c []contract.Signature) []contract.Signature { c[1].Document = "e"; return c },
		"consent":      func(c []contract.Signature) []contract.Signature { c[1].Consents = nil; return c },
		"what he saw":  func(c []contract.Signature) []contract.Signature { c[1].Seen.Rate = false; return c },
		"taken out":    func(c []contract.Signature) []contract.Signature { return append(c[:1], c[2]) },
		"first out":    func(c []contract.Signature) []contract.Signature { return c[1:] },
		"turned round": func(c []contract.Signature) []contract.Signature { c[1], c[2] = c[2], c[1]; return c },
		"house's mark": func(c []contract.Signature) []contract.Signature { c[1].House = c[0].House; return c },
		"another key":  func(c []contract.Signature) []contract.Signature { c[1].KeyID = other.ID; return c },
		"made again": func(c []contract.Signature) []contract.Signature {
			c[1].Name = "李"
			c[1], _ = contract.Seal(c[1], c[0].Nr, c[0].Hash, other)
			return c
		},
	} {
		if err := check(tamper(chainOf(t, h, 3)), keys); !errors.Is(err, contract.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheHouseKeepsOneKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "contract.key")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if h, err := contract.OpenHouse(file); err != nil {
				t.Error(err)
			} else {
				ids[i] = h.ID
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("processes that start at once have different keys: %v", ids)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v: others may read the key", info, err)
	}
	text, _ := contract.PublicPEM(house(t).Public())
	if _, err := contract.ReadPublic(text); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "x", text} {
		if _, err := contract.ReadHouse("f", []byte(bad)); !errors.Is(err, contract.ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
