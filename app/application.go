package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/application"
)

// house is who signs contracts for the lender: the key of the configuration, or one that
// is kept in the data folder.
func (c Config) house() (*contract.House, error) {
	if c.ContractKey != "" {
		return contract.ReadHouse("FURROW_CONTRACT_KEY", []byte(c.ContractKey))
	}
	return contract.OpenHouse(filepath.Join(c.Data, "contract.key"))
}

// font is what contracts are set in.
func font() (*contract.Font, error) { return contract.FindFont(os.Getenv(contract.FontEnv)) }

func lookFont() (string, error) {
	f, err := font()
	if err != nil {
		return "", err
	}
	return strings.Join(f.Files(), ", "), nil
}

// naming resolves what tables of applications name.
type naming struct {
	gate  *access.Gate
	plots geo.Store
	herds iot.Registry
	firms chain.Store
}

// Person implements apply.Finder.
func (f naming) Person(ctx context.Context, tenant, name string) (string, bool, error) {
	u, err := f.gate.Find(ctx, tenant, name)
	if errors.Is(err, access.ErrUserNotFound) {
		return "", false, nil
	}
	return u.ID, u.Role == access.Borrower, err
}

// Thing implements apply.Finder.
func (f naming) Thing(ctx context.Context, tenant, userID string, kind credit.SubjectKind, name string) (string, bool, error) {
	var names [][2]string // id and name
	switch kind {
	case credit.PlotSubject:
		plots, err := f.plots.Plots(ctx, tenant, geo.PlotFilter{OwnerID: userID, Limit: 1000})
		if err != nil {
			return "", false, err
		}
		for _, p := range plots {
			names = append(names, [2]string{p.ID, p.Name})
		}
	case credit.HerdSubject:
		herds, err := f.herds.Herds(ctx, tenant, userID)
		if err != nil {
			return "", false, err
		}
		for _, h := range herds {
			names = append(names, [2]string{h.ID, h.Name})
		}
	case credit.FirmSubject:
		firms, err := f.firms.Firms(ctx, tenant, chain.PartyFilter{OwnerID: userID})
		if err != nil {
			return "", false, err
		}
		for _, x := range firms {
			names = append(names, [2]string{x.ID, x.Name}, [2]string{x.ID, x.USCC})
		}
	}
	id, found := "", 0
	for _, n := range names {
		if n[0] == name {
			return n[0], true, nil
		}
		if n[1] == name && n[0] != id {
			id = n[0]
			found++
		}
	}
	return id, found == 1, nil
}

// ErrImporter is returned when the person who is to enter a table may not.
var ErrImporter = fault.New(fault.Invalid, "app.importer", "{login} cannot enter applications: name an officer or operator")

// openFor opens the house, which neither serves nor works, for an officer or operator of it.
func openFor(ctx context.Context, cfg Config, login string) (*App, access.User, error) {
	cfg.Serve, cfg.Work = false, false
	a, err := New(ctx, cfg)
	if err != nil {
		return nil, access.User{}, err
	}
	u, err := a.gate.Find(ctx, a.cfg.Tenant, login)
	if err != nil || u.Role != access.Officer && u.Role != access.Operator {
		return nil, u, errors.Join(ErrImporter.With("login", login).Because(err), a.Close())
	}
	return a, u, nil
}

// ImportApplications enters a table of applications in the name of an officer or operator
// of the house, who is named by login. It may run beside a working house, which assesses
// what comes in.
func ImportApplications(ctx context.Context, cfg Config, login string, r apply.ImportRequest) (report apply.ImportReport, err error) {
	a, u, err := openFor(ctx, cfg, login)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.apps.Import(ctx, access.Actor{UserID: u.ID, Name: u.Name, Tenant: u.Tenant, Role: u.Role}, r)
}

// ImportHistories keeps a table of bureau reports or account months in the name of an
// officer or operator of the house. The limits of whom it tells something new are looked
// at by the working house.
func ImportHistories(ctx context.Context, cfg Config, login string, up profile.Upload) (report profile.UploadReport, err error) {
	a, u, err := openFor(ctx, cfg, login)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	up.By = u.ID
	return a.profiles.Import(ctx, u.Tenant, up, func(ctx context.Context, tenant, name string) (string, bool, error) {
		u, err := a.gate.Find(ctx, tenant, name)
		if errors.Is(err, access.ErrUserNotFound) {
			return "", false, nil
		}
		return u.ID, u.Role == access.Borrower, err
	})
}

// VerifyContract says whether a file is the contract that was signed; see apply.Verify.
func VerifyContract(ctx context.Context, dsn, tenant string, q apply.Question) (v apply.ContractCheck, err error) {
	err = withDB(ctx, dsn, func(db *store.DB) error {
		v, err = apply.Verify(ctx, application.New(db), tenant, q)
		return err
	})
	return v, err
}
