package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Record appends to the audit trail of the tenant of who.
func (g *Gate) Record(ctx context.Context, who Actor, action, object, result string) error {
	_, err := g.store.Append(ctx, Entry{
		Tenant: who.Tenant, Actor: who.UserID, Action: action, Object: object, Result: result, At: g.now().UTC(),
	})
	return err
}

// Chained returns e as the successor of prev, the last entry of the trail: with Seq,
// Prev and Hash. The first entry follows the zero Entry.
//
// Hash is the hex SHA-256 of the JSON array [seq, tenant, actor, action, object,
// result, at in Unix ms, prev].
func (e Entry) Chained(prev Entry) Entry {
	e.Seq, e.Prev = prev.Seq+1, prev.Hash
	b, _ := json.Marshal([]any{e.Seq, e.Tenant, e.Actor, e.Action, e.Object, e.Result, e.At.UnixMilli(), e.Prev}) // plain values always encode
	sum := sha256.Sum256(b)
	e.Hash = hex.EncodeToString(sum[:])
	return e
}

// Verify walks the trail of a tenant and returns how many entries it has. An error
// names the first entry that was changed, removed or put in later.
func Verify(ctx context.Context, s Store, tenant string) (int64, error) {
	var prev Entry
	for {
		entries, err := s.Entries(ctx, tenant, prev.Seq, 1000)
		if err != nil || len(entries) == 0 {
			return prev.Seq, err
		}
		for _, e := range entries {
			e.Tenant = tenant
			if want := e.Chained(prev); e != want {
				return prev.Seq, fmt.Errorf("audit trail of %s: entry %d does not follow entry %d", tenant, e.Seq, prev.Seq)
			}
			prev = e
		}
	}
}
