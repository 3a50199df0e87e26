package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/access"
)

// Every state to every other, by every role: what is written here is all that may be.
// Letters: borrower, partner, officer, operator (x), anchor, system (-) only.
func TestWhoMayMoveWhat(t *testing.T) {
	t.Parallel()
	allowed := map[[2]State]string{
		{Draft, Submitted}: "bpoxa", {Draft, Withdrawn}: "bpoxa", {Draft, Expired}: "-",
		{Submitted, Deciding}: "-", {Submitted, Offered}: "-", {Submitted, Referred}: "-", {Submitted, Refused}: "-", {Submitted, Withdrawn}: "bpo",
		{Deciding, Offered}: "-", {Deciding, Referred}: "-", {Deciding, Refused}: "-", {Deciding, Withdrawn}: "bpo",
		{Referred, Offered}: "o", {Referred, Refused}: "o", {Referred, Submitted}: "o", {Referred, Withdrawn}: "bpo",
		{Refused, Referred}: "b",
		{Offered, Referred}: "-", {Offered, Refused}: "-", {Offered, Signed}: "bp", {Offered, Accepted}: "bp", {Offered, Withdrawn}: "bpo", {Offered, Expired}: "-",
		{Accepted, Signed}: "bpo", {Accepted, Referred}: "-", {Accepted, Refused}: "-", {Accepted, Withdrawn}: "bpo", {Accepted, Expired}: "-",
		{Signed, Active}: "-", {Signed, Withdrawn}: "bpo", {Signed, Expired}: "-",
		{Active, Closed}: "bpo",
	}
	letters := map[access.Role]string{
		access.Borrower: "b", access.Partner: "p", access.Officer: "o", access.Operator: "x", access.Anchor: "a", access.Auditor: "?",
	}
	states := append([]State{Draft}, sent...)
	for _, from := range states {
		for _, to := range states {
			who, exists := allowed[[2]State{from, to}]
			if err := may(system, from, to); (err == nil) != exists || !exists && !errors.Is(err, ErrState) {
				t.Errorf("system, %s to %s: %v", from, to, err)
			}
			for _, role := range access.Roles() {
				err := may(access.Actor{UserID: "u", Role: role}, from, to)
				switch {
				case !exists && !errors.Is(err, ErrState),
					exists && strings.Contains(who, letters[role]) != (err == nil),
					exists && err != nil && !errors.Is(err, access.ErrRole):
					t.Errorf("%s, %s to %s: %v", role, from, to, err)
				}
			}
		}
	}
}
