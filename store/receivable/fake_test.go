package receivable_test

import (
	"context"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
)

// empty is a store in which nothing was done.
type empty struct{ receivable.Store }

func (empty) Done(context.Context, string, []string) (map[string]receivable.Done, error) {
	return nil, nil
}

func (empty) Used(context.Context, string, []string) (map[string]money.Fen, error) { return nil, nil }

// nobody knows no firm.
type nobody struct{ receivable.Firms }

func (nobody) FirmsByID(context.Context, string, []string) ([]chain.Party, error) { return nil, nil }

func (nobody) FirmsByUSCC(context.Context, string, []string) (map[string]chain.Party, error) {
	return nil, nil
}

func (nobody) FirmsByName(context.Context, string, []string) (map[string][]chain.Party, error) {
	return nil, nil
}
