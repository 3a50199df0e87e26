// Package server is the house seen from outside: the HTTP API of the faces, the
// live WebSocket, the embedded web pages, health and metrics. It holds no business
// rule: a request is checked for form and role and handed to its room.
package server

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/geo/tile"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/anchor"
	"github.com/furrowcredit/furrow/server/face"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/live"
	"github.com/furrowcredit/furrow/server/message"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/server/partner"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Tiles draws map tiles; geo/tile.Renderer does.
type Tiles interface {
	Draw(ctx context.Context, r tile.Request) ([]byte, error)
	Legend(l tile.Layer) ([]tile.Entry, error)
}

// Desk is apply.Service, as far as the faces use it.
type Desk interface {
	officer.Desk
	farmer.Desk
	partner.Desk
	anchor.Desk
	Keys(ctx context.Context, tenant string) ([]apply.HouseKey, error)
}

// Book is loan.Service, as far as the faces use it.
type Book interface {
	officer.Book
	farmer.Book
}

// Receivables is chain/receivable.Service, as far as the faces use it.
type Receivables interface {
	officer.Receivables
	farmer.Receivables
	anchor.Receivables
}

// Collateral is collateral.Service, as far as the faces use it.
type Collateral interface {
	officer.Collateral
	farmer.Collateral
	anchor.Collateral
}

// Purchases is purchase.Service, as far as the faces use it.
type Purchases interface {
	officer.Purchases
	farmer.Purchases
	anchor.Sales
	partner.Purchases
}

// Consents is consent.Book, as far as the faces use it.
type Consents interface {
	officer.Consents
	farmer.Consents
}

// Plots is the plot register; geo.Plots is one.
type Plots interface {
	farmer.Plots
	officer.Overlapper
	operator.Plots
}

// Herds is iot.Herds, as far as the faces use it.
type Herds interface {
	operator.Herds
	farmer.Herders
}

// Deps is what the server hands requests to, and what it tells about itself.
type Deps struct {
	Gate *access.Gate
	// Trail is where the audit trail is read; the people store.
	Trail officer.Trail

	Plots     Plots
	PlotStore geo.Store
	// Suggest outlines the field at a place by the images of the season.
	Suggest func(ctx context.Context, at orb.Point) (boundary.Suggestion, error)
	// Report has the satellite report of a new plot made soon, in the background.
	Report    func(ctx context.Context, tenant, plotID string) error
	ReadPlots func(r io.Reader, name string) ([]geo.Plot, []operator.Refused, error)
	Scenes    func() []view.Scene // newest first
	Tiles     Tiles               // nil when there are no scenes

	Herds     Herds
	HerdStore iot.Registry
	Import    operator.Importer // of animals
	HerdWatch officer.HerdWatch
	Animals   officer.Animals
	// Forget deletes all readings of a device.
	Forget func(ctx context.Context, tenant, device string) error
	// Watch is told of a herd that changed.
	Watch func(ctx context.Context, tenant, herdID string) error

	Firms       chain.Store
	Partners    chain.Partners
	Standings   officer.Standings
	Chain       officer.Chain
	Industries  *industry.Catalogue
	Shocks      officer.Shocks
	Merges      party.Merges
	Documents   officer.Documents
	Facts       extract.Store
	Uploads     anchor.Uploads
	Receivables Receivables
	// Ledger is the double-entry book.
	Ledger  officer.Ledger
	Periods officer.Periods
	// Remittances pay collected fees out.
	Remittances officer.Remittances
	// Collateral is what stands behind loans.
	Collateral Collateral
	// Fund is how loans are shared.
	Fund officer.Fund
	// Purchases directs money to sellers; Payments, Statements and Callbacks are the bank
	// that moves it.
	Purchases   Purchases
	Payments    officer.Payments
	Statements  officer.Statements
	Callbacks   partner.Callbacks
	Models      officer.Models
	Strategies  officer.Strategies
	Quotes      partner.Quotes
	ImportChain func(ctx context.Context, tenant string, files map[string]io.Reader) (reference.Report, error)

	Desk   Desk
	Book   Book
	Alerts officer.Alerts
	Jobs   operator.Jobs

	Crops    []Word
	Species  []Word
	Goods    []Word
	Units    []Word
	Products []product.Product
	// Wordings are what borrowers agree to, Consents what they agreed to.
	Wordings consent.Wordings
	Consents Consents
	Profiles officer.Profiles

	Live *live.Hub
	// Faces are the web pages: officer/, farmer/ and anchor/ with an index.html each.
	Faces fs.FS

	Registry *prometheus.Registry // nil makes a new one
	// Ready says what keeps the house from serving, if anything.
	Ready func(ctx context.Context) error
	Log   *slog.Logger // nil drops the logs
	Now   func() time.Time
	TLS   bool // the house is reached by https: cookies are marked Secure
}

// Server is the HTTP side of the house.
type Server struct {
	deps    Deps
	api     *route.API
	words   *message.Catalogue
	handler http.Handler
}

// New wires the faces. It returns an error when the table of roles and the
// operations do not fit, or a text cannot be read.
func New(d Deps) (*Server, error) {
	words, err := message.Load()
	if err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	s := &Server{deps: d, words: words}
	observe, err := observer(d.Registry)
	if err != nil {
		return nil, err
	}
	faces, err := face.New(d.Faces, http.HandlerFunc(s.noFace))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.api = route.New(route.Config{
		Mux: mux, Gate: d.Gate, Roles: Roles(), Words: words, Log: d.Log, Observe: observe,
	})
	s.registerSession(s.api)
	s.registerCatalogue(s.api)
	officer.Register(s.api, officer.Config{
		Desk: d.Desk, Book: d.Book, Plots: d.PlotStore, Overlaps: d.Plots, Herds: d.HerdStore, HerdWatch: d.HerdWatch,
		Animals: d.Animals, Now: d.Now, Profiles: d.Profiles, Consents: d.Consents, People: d.Gate,
		Firms: d.Firms, Standings: d.Standings, Chain: d.Chain, Industries: d.Industries, Shocks: d.Shocks, Merges: d.Merges, Alerts: d.Alerts, Scenes: d.Scenes, Trail: d.Trail, Words: words.Text,
		Receivables: d.Receivables, Collateral: d.Collateral, Fund: d.Fund, Ledger: d.Ledger, Periods: d.Periods, Remittances: d.Remittances, Purchases: d.Purchases, Payments: d.Payments, Statements: d.Statements, Documents: d.Documents, Facts: d.Facts, Strategies: d.Strategies, Models: d.Models,
	})
	farmer.Register(s.api, farmer.Config{
		Desk: d.Desk, Consents: d.Consents, Book: d.Book, Plots: d.Plots, PlotStore: d.PlotStore, Herds: d.HerdStore, HerdReports: d.HerdWatch,
		Herders: d.Herds, Watch: d.Watch,
		Firms: d.Firms, Standings: d.Standings, Scenes: d.Scenes, Report: d.Report, Suggest: d.Suggest,
		Receivables: d.Receivables, Collateral: d.Collateral, Purchases: d.Purchases, Words: words.Text,
	})
	anchor.Register(s.api, anchor.Config{Desk: d.Desk, Uploads: d.Uploads, Firms: d.Firms, Partners: d.Partners, Standings: d.Standings, Receivables: d.Receivables, Collateral: d.Collateral, Sales: d.Purchases, Loans: d.Book, Words: words.Text})
	operator.Register(s.api, operator.Config{
		People: d.Gate, Herds: d.Herds, Devices: d.HerdStore, Import: d.Import, Watch: d.Watch, Forget: d.Forget, Firms: d.Firms, Plots: d.Plots,
		Jobs: d.Jobs, ReadPlots: d.ReadPlots, ImportChain: d.ImportChain, Words: words.Fault, Now: d.Now,
	})
	partner.Register(s.api, partner.Config{Desk: d.Desk, People: d.Gate, Quotes: d.Quotes, Words: words.Text, Purchases: d.Purchases, Callbacks: d.Callbacks})
	s.api.Handle(route.Op{ID: "live", Method: http.MethodGet, Path: "/live", Summary: "WebSocket of changes", Tag: "live"}, s.live)
	s.registerHouse(mux, faces)
	if err := s.api.Check(); err != nil {
		return nil, err
	}
	s.api.Seal()
	s.handler = s.outer(mux)
	return s, nil
}

// Serve answers on l until ctx ends, then lets what runs end within ten seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	s.deps.Live.Close() // open WebSockets would hold Shutdown
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return srv.Shutdown(grace)
}

// Handler serves everything.
func (s *Server) Handler() http.Handler { return s.handler }

// Spec returns the OpenAPI description of the API as YAML.
func (s *Server) Spec() ([]byte, error) { return s.api.Spec() }

// ErrNoFace is returned while the web pages are not in the binary.
var ErrNoFace = fault.New(fault.Unavailable, "face.absent", "the web pages are not built into this program: run make web and build again")

// noFace answers for what no face is built for: the root goes to a face.
func (s *Server) noFace(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		if slices.Contains(face.Names(), strings.Trim(strings.SplitN(r.URL.Path, "/", 3)[1], "/")) {
			s.api.Write(w, r, ErrNoFace)
			return
		}
		s.api.Write(w, r, route.ErrNotFound)
		return
	}
	http.Redirect(w, r, "/"+s.home(r)+"/", http.StatusSeeOther)
}

// home picks the face of who comes to the root: that of their role, or the one for
// their kind of screen.
func (s *Server) home(r *http.Request) string {
	if s.deps.Gate != nil {
		if who, err := s.api.Who(r); err == nil {
			switch who.Role {
			case access.Borrower:
				return "farmer"
			case access.Anchor:
				return "anchor"
			default:
				return "officer"
			}
		}
	}
	if strings.Contains(r.UserAgent(), "Mobile") {
		return "farmer"
	}
	return "officer"
}

func (s *Server) live(w http.ResponseWriter, r *http.Request, who access.Actor) {
	s.deps.Live.Serve(w, r, who, func(ctx context.Context) error {
		_, err := s.api.Who(r.WithContext(ctx))
		return err
	})
}
