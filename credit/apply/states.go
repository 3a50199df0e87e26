package apply

import (
	"slices"

	"github.com/furrowcredit/furrow/access"
)

// move is one line of the state table. Without roles it is the system's own.
type move struct {
	from, to State
	roles    []access.Role
}

// moves is who may take an application from where to where. Nothing else moves one.
var moves = []move{
	{Submitted, Deciding, nil}, // evidence is on its way
	{Submitted, Offered, nil},
	{Submitted, Referred, nil},
	{Submitted, Refused, nil},
	{Deciding, Offered, nil},
	{Deciding, Referred, nil},
	{Deciding, Refused, nil},

	{Referred, Offered, []access.Role{access.Officer}},
	{Referred, Refused, []access.Role{access.Officer}},
	{Referred, Submitted, []access.Role{access.Officer}}, // assess again
	{Refused, Referred, []access.Role{access.Borrower}},  // asks for a person's review, once a decision

	{Offered, Referred, nil}, // the evidence carries the offer no more
	{Offered, Refused, nil},

	{Offered, Signed, []access.Role{access.Borrower, access.Partner}},
	{Signed, Active, nil}, // the money is out
	// The loan is repaid; or a limit that is drawn again and again, with nothing owed, ended.
	{Active, Closed, []access.Role{access.Borrower, access.Partner, access.Officer}},

	{Submitted, Withdrawn, []access.Role{access.Borrower, access.Partner, access.Officer}},
	{Deciding, Withdrawn, []access.Role{access.Borrower, access.Partner, access.Officer}},
	{Referred, Withdrawn, []access.Role{access.Borrower, access.Partner, access.Officer}},
	{Offered, Withdrawn, []access.Role{access.Borrower, access.Partner, access.Officer}},
	{Signed, Withdrawn, []access.Role{access.Borrower, access.Partner, access.Officer}},

	{Offered, Expired, nil},
	{Signed, Expired, nil},
}

// may returns ErrState when there is no such move, and access.ErrRole when the actor may
// not make it.
func may(actor access.Actor, from, to State) error {
	i := slices.IndexFunc(moves, func(m move) bool { return m.from == from && m.to == to })
	if i < 0 {
		return ErrState.With("state", from).With("to", to)
	}
	roles := moves[i].roles
	if actor.UserID == system.UserID || slices.Contains(roles, actor.Role) {
		return nil
	}
	return access.ErrRole
}

// system acts when nobody does.
var system = access.Actor{UserID: "system", Name: "system"}
