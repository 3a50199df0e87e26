package firm

import (
	"context"

	"github.com/furrowcredit/furrow/store"
)

// Remerge lets a firm count for a survivor, with the links of all firms that are or were
// one with it.
func Remerge(ctx context.Context, tx *store.Tx, tenant string, all []string, id, survivor string) error {
	if err := revise(ctx, tx, tenant); err != nil {
		return err
	}
	now, err := revision(ctx, tx, tenant)
	if err != nil {
		return err
	}
	if err := relink(ctx, tx, tenant, now, all); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update firm set survivor_id = $3 where tenant = $1 and id = $2`, tenant, id, survivor); err != nil {
		return err
	}
	return relink(ctx, tx, tenant, now, all)
}
