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

// Who acts on applications from outside.
var (
	asker  = []access.Role{access.Borrower, access.Partner}
	bearer = []access.Role{access.Borrower, access.Partner, access.Officer, access.Operator, access.Anchor} // who brings an application
	ender  = []access.Role{access.Borrower, access.Partner, access.Officer}
	staff  = []access.Role{access.Officer}
)

// moves is who may take an application from where to where. Nothing else moves one.
var moves = []move{
	{Draft, Submitted, bearer}, // all that is needed is there
	{Draft, Withdrawn, bearer},
	{Draft, Expired, nil}, // nobody went on with it for [DraftDays]

	{Submitted, Deciding, nil}, // evidence is on its way
	{Submitted, Offered, nil},
	{Submitted, Referred, nil},
	{Submitted, Refused, nil},
	{Deciding, Offered, nil},
	{Deciding, Referred, nil},
	{Deciding, Refused, nil},

	{Referred, Offered, staff},
	{Referred, Refused, staff},
	{Referred, Submitted, staff},                        // assess again
	{Refused, Referred, []access.Role{access.Borrower}}, // asks for a person's review, once a decision

	{Offered, Referred, nil}, // the evidence carries the offer no more
	{Offered, Refused, nil},

	{Offered, Signed, asker},
	// The borrower takes the offer, and has time to think before signing; or has signed,
	// and guarantors have not yet.
	{Offered, Accepted, asker},
	{Accepted, Signed, []access.Role{access.Borrower, access.Partner, access.Officer}}, // an officer brings a guarantor's paper
	{Accepted, Referred, nil}, // as with an offer
	{Accepted, Refused, nil},

	{Signed, Active, nil}, // the money is out
	// The loan is repaid; or a limit that is drawn again and again, with nothing owed, ended.
	{Active, Closed, ender},

	{Submitted, Withdrawn, ender},
	{Deciding, Withdrawn, ender},
	{Referred, Withdrawn, ender},
	{Offered, Withdrawn, ender},
	{Accepted, Withdrawn, ender},
	{Signed, Withdrawn, ender},

	{Offered, Expired, nil},
	{Accepted, Expired, nil},
	{Signed, Expired, nil},
}

// sent are the states of what is no draft.
var sent = []State{Submitted, Deciding, Offered, Referred, Refused, Accepted, Signed, Active, Closed, Withdrawn, Expired}

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
