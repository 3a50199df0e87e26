package firm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
)

// nameRules is the version of party.Normalise, by which the keys of names are made. Who
// changes what it makes of a name raises it. 2: traditional characters became simplified.
const nameRules = 2

// RefreshNames makes the keys of all names anew when they were made by older rules, and
// returns how many firms had another. It goes on where it broke off only by beginning
// again, which changes nothing that is right already; others can write meanwhile.
func (s *Store) RefreshNames(ctx context.Context) (changed int, err error) {
	var made int
	err = s.db.QueryRow(ctx, `select version from firm_name_rules`).Scan(&made)
	if err == nil && made >= nameRules {
		return 0, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store/firm: %w", err)
	}
	for after := ""; ; {
		firms, err := s.firms(ctx, `select `+firmColumns+` from firm where id > $1 order by id limit 1000`, after)
		if err != nil {
			return changed, err
		}
		if len(firms) == 0 {
			break
		}
		after = firms[len(firms)-1].ID
		n, err := s.rename(ctx, firms)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, s.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `delete from firm_name_rules`)
		if err == nil {
			_, err = tx.Exec(ctx, `insert into firm_name_rules (version) values ($1)`, nameRules)
		}
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		return nil
	})
}

// rename makes the keys of some firms anew, where the name is still the one that was read.
func (s *Store) rename(ctx context.Context, firms []chain.Party) (changed int, err error) {
	var other, named []chain.Party
	for _, p := range firms {
		if party.Normalise(p.Name) != p.NameKey {
			other = append(other, p)
		}
		if len(p.FormerNames)+len(p.ShortNames) > 0 {
			named = append(named, p)
		}
	}
	if len(other)+len(named) == 0 {
		return 0, nil
	}
	return len(other), s.db.Tx(ctx, func(tx *store.Tx) error {
		tenants := map[string]bool{}
		for _, p := range other {
			if _, err := tx.Exec(ctx, `update firm set name_key = $3 where id = $1 and name = $2`, p.ID, p.Name, party.Normalise(p.Name)); err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
			if !tenants[p.Tenant] { // uploads that were checked against the old keys look again
				tenants[p.Tenant] = true
				if err := revise(ctx, tx, p.Tenant); err != nil {
					return err
				}
			}
		}
		if len(named) == 0 {
			return nil
		}
		return saveNames(ctx, tx, named)
	})
}
