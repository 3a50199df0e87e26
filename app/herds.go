package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
)

// importer puts files of animals, and the weighings in them, into the register.
func importer(herds *iot.Herds, kinds *species.Catalogue, s *herd.Store) *register.Importer {
	return &register.Importer{Herds: herds, Species: kinds, Weigh: s.AddWeighings}
}

// ImportAnimals puts a file of animals into a herd of the register at dsn. Species and
// breeds are those of the catalogue in dir, or the built-in one.
func ImportAnimals(ctx context.Context, dsn, dir string, q register.Request) (account register.Account, err error) {
	files, err := catalog.Open(dir)
	if err != nil {
		return account, err
	}
	kinds, err := species.Load(files)
	if err != nil {
		return account, err
	}
	err = withDB(ctx, dsn, func(db *store.DB) error {
		s := herd.New(db)
		account, err = importer(&iot.Herds{Store: s, Known: kinds.Known, Now: time.Now}, kinds, s).Import(ctx, q)
		return err
	})
	return account, err
}
