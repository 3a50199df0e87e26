package influx

import (
	"context"
	"fmt"
	"testing"
)

// SameCode returns two gateways whose readings in JSON have one code.
func SameCode(t *testing.T) (a, b string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << codeBits {
		b = fmt.Sprint("gateway-", i)
		code := origin{b, "json"}.code()
		if a, ok := seen[code]; ok {
			return a, b
		}
		seen[code] = b
	}
	t.Fatal("no two gateways share a code")
	return "", ""
}

// Again opens the same bucket as another process would.
func Again(s *Store) *Store { return Open(s.cfg) }

// Post writes lines as they are.
func Post(ctx context.Context, s *Store, lines string) error { return s.post(ctx, []byte(lines)) }
