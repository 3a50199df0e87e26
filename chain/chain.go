// Package chain holds what the industry chain tells about a small firm: whom it
// sells to and buys from, and how much of that trade is proven by documents.
//
// The root package has the shared values; upload, party, graph and flow are the
// methods.
package chain

import (
	"context"
	"iter"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with firms and uploads.
var (
	ErrFirmNotFound   = fault.New(fault.NotFound, "firm.not_found", "there is no such firm")
	ErrUploadNotFound = fault.New(fault.NotFound, "upload.not_found", "there is no such upload")
	ErrUploadState    = fault.New(fault.Conflict, "upload.state", "this upload is {state} already; upload the file again")
	ErrUploadNeeded   = fault.New(fault.Conflict, "upload.needed", "the later upload {file} brought {rows} of these rows again; undo that one first")
	ErrUploadStands   = fault.New(fault.Conflict, "upload.stands", "the receivable {receivable} rests on document {document} of this file; the file stays as long as the receivable is not cancelled")
	ErrFirmInUse      = fault.New(fault.Conflict, "firm.in_use", "a firm that this file brought is used elsewhere by now; reload and try again")
	ErrUploadBusy     = fault.New(fault.Conflict, "upload.busy", "another upload is being written; try again in a minute")
	ErrUploadBroken   = fault.New(fault.Unavailable, "upload.broken", "writing this file broke off, and nothing of it was kept; commit it again")
	ErrUploadRaced    = fault.New(fault.Conflict, "upload.raced", "another upload changed the books at the same time; try again")
	ErrFirmTaken      = fault.New(fault.Conflict, "firm.taken", "another firm has this credit code; try again to use that one")
)

// Party is a firm. USCC is its unified social credit code, "" when not known yet.
type Party struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"-"`
	USCC      string    `json:"uscc"`
	Name      string    `json:"name"`
	NameKey   string    `json:"-"`                  // normalised name for search, made by party.Normalise
	OwnerID   string    `json:"owner_id,omitempty"` // access.User who speaks for it
	AnchorOf  bool      `json:"anchor"`             // an anchor enterprise of the tenant
	Industry  string    `json:"industry,omitempty"`
	Region    string    `json:"region,omitempty"`
	Phone     string    `json:"-"`
	LegalRep  string    `json:"legal_rep,omitempty"`
	CreatedAt time.Time `json:"created_at"`

	Controller   string    `json:"controller,omitempty"` // who has the last word: a person or a firm
	Address      string    `json:"address,omitempty"`
	IndustryCode string    `json:"industry_code,omitempty"` // of GB/T 4754, such as "A0111"
	Scope        string    `json:"scope,omitempty"`         // what it may trade in, as registered
	Founded      string    `json:"founded,omitempty"`       // "2019-04-30"
	Capital      money.Fen `json:"capital,omitempty"`       // registered
	FormerNames  []string  `json:"former_names,omitempty"`
	ShortNames   []string  `json:"short_names,omitempty"`
	MergedInto   string    `json:"merged_into,omitempty"` // the firm that this one was found to be
}

// Survivor is the id of the firm that this one counts for: its own, unless it was
// found to be another.
func (p Party) Survivor() string {
	if p.MergedInto != "" {
		return p.MergedInto
	}
	return p.ID
}

// DocKind is a kind of trade document.
type DocKind string

// Kinds of document; Suppliers is the list of parties an anchor names.
const (
	Suppliers    DocKind = "suppliers"
	Contract     DocKind = "contracts"
	Order        DocKind = "orders"
	Delivery     DocKind = "deliveries"
	Invoice      DocKind = "invoices"
	Payment      DocKind = "payments"
	Confirmation DocKind = "confirmations" // the buyer acknowledges what it owes
	// Statement is a text that says that one firm supplies another, without amounts; it
	// is no document of trade, as a list of suppliers is none, and nobody uploads one.
	Statement DocKind = "statements"
)

// InvoiceType is the sort of an invoice of China's value added tax.
type InvoiceType string

// Types of invoice. Fully digital ones have a number of 20 digits and no code.
const (
	SpecialInvoice        InvoiceType = "special"
	GeneralInvoice        InvoiceType = "general"
	DigitalSpecialInvoice InvoiceType = "digital_special"
	DigitalGeneralInvoice InvoiceType = "digital_general"
)

// Document is one contract, order, delivery, invoice, payment or confirmation. Seller
// delivers and is paid. Amount is what the buyer owes for it, tax included; it is
// negative for a red-letter invoice, which takes another back, and for a refund.
type Document struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"-"`
	Key      string    `json:"-"` // identity of the row, made by RowKey
	Kind     DocKind   `json:"kind"`
	Number   string    `json:"number"`
	OrderNo  string    `json:"order_no,omitempty"`
	SellerID string    `json:"seller_id"`
	BuyerID  string    `json:"buyer_id"`
	Amount   money.Fen `json:"amount"`
	Goods    string    `json:"goods,omitempty"`
	Date     string    `json:"date"` // "2026-05-31"
	UploadID string    `json:"upload_id"`
	Funder   string    `json:"funder,omitempty"`    // who was promised this invoice, if anybody
	AnchorID string    `json:"anchor_id,omitempty"` // whose upload brought it

	ContractNo string      `json:"contract_no,omitempty"`
	InvoiceNo  string      `json:"invoice_no,omitempty"` // of a payment or confirmation: what it is for; of a red-letter invoice: what it takes back
	Code       string      `json:"code,omitempty"`       // invoice code, "" of fully digital ones
	Type       InvoiceType `json:"type,omitempty"`
	Tax        money.Fen   `json:"tax,omitempty"`
	Due        string      `json:"due,omitempty"`      // when it is to be paid, "2026-11-30"
	Quantity   float64     `json:"quantity,omitempty"` // in Unit
	Unit       string      `json:"unit,omitempty"`
	Void       bool        `json:"void,omitempty"` // cancelled: it counts for nothing but shows how often that happens
}

// Link is the trade between two firms, summed over documents. A link without any
// document is one that a list of suppliers or dealers, or an accepted fact, names.
type Link struct {
	SellerID      string    `json:"seller_id"`
	BuyerID       string    `json:"buyer_id"`
	Seller        string    `json:"seller"`
	Buyer         string    `json:"buyer"`
	Contracts     int       `json:"contracts"`
	Orders        int       `json:"orders"`
	Deliveries    int       `json:"deliveries"`
	Invoices      int       `json:"invoices"`
	Payments      int       `json:"payments"`
	Confirmations int       `json:"confirmations"`
	Ordered       money.Fen `json:"ordered"` // contracts and orders without a contract
	Invoiced      money.Fen `json:"invoiced"`
	Paid          money.Fen `json:"paid"`
	FirstDate     string    `json:"first_date"`
	LastDate      string    `json:"last_date"`
}

// RowError names what is wrong in one cell.
type RowError struct {
	Row    int    `json:"row"`    // as the spreadsheet shows it, header is row 1
	Column string `json:"column"` // header text; "" for the whole row
	Cell   string `json:"cell"`   // "C7"
	Value  string `json:"value"`
	Code   string `json:"code"`
	Msg    string `json:"message"`
	// Args are the values of the translated message; Warning marks a remark that
	// does not stop the row.
	Args    map[string]string `json:"args,omitempty"`
	Warning bool              `json:"warning,omitempty"`
}

// UploadState is where an upload stands.
type UploadState string

// States of an upload. Checking and committing are work under way; a refused file could
// not be read as a table, and its one remark says why.
const (
	UploadChecking   UploadState = "checking"
	UploadRefused    UploadState = "refused"
	UploadChecked    UploadState = "checked" // dry run done, nothing written
	UploadCommitting UploadState = "committing"
	UploadCommitted  UploadState = "committed"
	UploadUndone     UploadState = "undone"
	UploadLapsed     UploadState = "lapsed" // checked by an earlier version: send the file again
)

// Upload is one file of an anchor.
type Upload struct {
	ID        string      `json:"id"`
	Tenant    string      `json:"-"`
	AnchorID  string      `json:"anchor_id"`
	UserID    string      `json:"user_id"`
	UserName  string      `json:"user_name"`
	Kind      DocKind     `json:"kind"`
	FileName  string      `json:"file_name"`
	SHA256    string      `json:"sha256"`
	State     UploadState `json:"state"`
	Rows      int         `json:"rows"`
	Good      int         `json:"good"`
	Known     int         `json:"known"` // rows already in the books: changed nothing
	Bad       int         `json:"bad"`
	Errors    []RowError  `json:"errors"`
	CreatedAt time.Time   `json:"created_at"`
	DoneAt    *time.Time  `json:"done_at,omitempty"`
	RowsDone  int         `json:"rows_done"`         // of the work under way
	RowsTotal int         `json:"rows_total"`        // 0 while nobody knows
	SameAs    string      `json:"same_as,omitempty"` // the committed upload of the very same file
	// Failure is why the last attempt to commit it failed when nobody waited for it any
	// more; nothing of it was written, and it can be committed again.
	Failure   *UploadFailure `json:"failure,omitempty"`
	TouchedAt time.Time      `json:"-"` // last sign of life of the work under way
	Revision  int64          `json:"-"` // of the books against which it was read
}

// UploadFailure is why an upload could not be committed.
type UploadFailure struct {
	Code string            `json:"code"`
	Msg  string            `json:"message"`
	Args map[string]string `json:"args,omitempty"`
	At   time.Time         `json:"at"`
}

// UploadFilter selects uploads, newest first.
type UploadFilter struct {
	AnchorID string // "" means all
	SHA256   string
	Before   string // id of the last one of the page before
	Limit    int    // 0 means 100; at most 1000
}

// PartStream is one of the streams of bytes that an upload consists of.
type PartStream string

// Streams of an upload.
const (
	FilePart PartStream = "file" // as it came
	GoodPart PartStream = "good" // rows that may be committed
	BadPart  PartStream = "bad"  // rows with mistakes, as they came
)

// KnownDocument is what the books have of a document.
type KnownDocument struct {
	There    bool
	Amount   money.Fen
	UploadID string // which brought it
}

// PartyFilter selects firms; zero fields do not restrict.
type PartyFilter struct {
	Query   string // matched against the normalised name and the credit code
	OwnerID string
	Anchors bool
	After   string
	Limit   int // 0 means 100; at most 1000
}

// Store keeps parties, documents and uploads. Implemented in store/firm.
type Store interface {
	// Firm returns ErrFirmNotFound when the tenant has none of that id.
	Firm(ctx context.Context, tenant, id string) (Party, error)
	Firms(ctx context.Context, tenant string, f PartyFilter) ([]Party, error)
	// FirmsByID returns those of the firms that exist, in the order of the ids.
	FirmsByID(ctx context.Context, tenant string, ids []string) ([]Party, error)
	// FirmByUSCC and FirmByName return ErrFirmNotFound.
	FirmByUSCC(ctx context.Context, tenant, uscc string) (Party, error)
	FirmByName(ctx context.Context, tenant, nameKey string) ([]Party, error)
	// FirmsByUSCC returns the firms of those codes that are known, by code.
	FirmsByUSCC(ctx context.Context, tenant string, codes []string) (map[string]Party, error)
	// FirmsByName returns, by key, the firms that are or were called so, or are for
	// short; in the order of their ids. A blank key names nobody.
	FirmsByName(ctx context.Context, tenant string, nameKeys []string) (map[string][]Party, error)
	// SaveFirms inserts or updates by id, all or none.
	SaveFirms(ctx context.Context, p []Party) error
	// Revision counts the changes of the tenant's firms and documents: what was read
	// since a revision still holds while it is the same.
	Revision(ctx context.Context, tenant string) (int64, error)
	// Links returns the summed trade of a firm, both directions, largest first.
	Links(ctx context.Context, tenant, firmID string) ([]Link, error)
	// AllLinks streams every link of the tenant to f.
	AllLinks(ctx context.Context, tenant string, f func(Link) error) error
	// Documents returns the documents of a firm as seller or buyer; kind "" means all.
	Documents(ctx context.Context, tenant, firmID string, kind DocKind) ([]Document, error)
	// AllDocuments streams every document of a kind, those between two firms together.
	AllDocuments(ctx context.Context, tenant string, kind DocKind, f func(Document) error) error
	// DocumentsBySeller hands on the documents of trade of one seller after the other, in
	// the order of their ids, each time those of one by date.
	DocumentsBySeller(ctx context.Context, tenant string, f func(docs []Document) error) error
	// KnownDocuments tells of each document whether it is in the books (by what RowKey
	// looks at), in their order.
	KnownDocuments(ctx context.Context, tenant string, docs []Document) ([]KnownDocument, error)
	// AddUpload saves a new upload; Upload returns ErrUploadNotFound. Neither Uploads nor
	// AddUpload knows its parts, and Uploads leaves out the remarks.
	AddUpload(ctx context.Context, u Upload) error
	Upload(ctx context.Context, tenant, id string) (Upload, error)
	Uploads(ctx context.Context, tenant string, f UploadFilter) ([]Upload, error)
	// MoveUpload saves what became of an upload that is still in state from, with signs of
	// life; else it returns ErrUploadState.
	MoveUpload(ctx context.Context, u Upload, from UploadState) error
	// AddPart saves the next part of a stream, numbered from 0; Parts reads them in order.
	AddPart(ctx context.Context, u Upload, stream PartStream, n int, body []byte) error
	Parts(ctx context.Context, u Upload, stream PartStream, f func(body []byte) error) error
	// DropUpload removes an upload that was never committed, and its parts.
	DropUpload(ctx context.Context, u Upload) error
	// CommitUpload writes the documents of an upload and the parties that firms returns
	// after the last of them, and marks it committed. It works in steps, so that others
	// can write meanwhile, but nothing of it is seen before all is there; progress is told
	// how many documents were taken. A document that is there already is left as it is;
	// leans says how many of those other uploads had brought. It returns ErrUploadState
	// when the upload is neither checked nor committing, ErrUploadRaced when the books have
	// moved on from u.Revision, and ErrUploadBusy while one is being committed.
	// After an error the upload is checked as before.
	CommitUpload(ctx context.Context, u Upload, docs iter.Seq2[Document, error], firms func() []Party, leans map[string]int, progress func(done int)) (known int, err error)
	// SweepParts removes the parts of uploads of the tenant that were never saved and
	// whose ids, which are UUIDv7, were made before a time: their checks died.
	SweepParts(ctx context.Context, tenant string, before time.Time) error
	// AbortUpload takes back what a commit that broke off has written: the upload is
	// checked again, with u.Failure. ErrUploadState when it is not committing.
	AbortUpload(ctx context.Context, u Upload) error
	// UndoUpload removes the documents that the upload brought, and the firms that
	// nothing else mentions, and marks it undone; ErrUploadState when not committed,
	// ErrUploadNeeded when a committed upload leans on it, ErrUploadStands when a
	// receivable rests on one of its documents.
	UndoUpload(ctx context.Context, u Upload) error
}

// Changes tells a graph what moved in the books since it was built. Implemented in
// store/firm.
type Changes interface {
	// ChangedLinks streams to f the links whose documents changed after a revision, as
	// they are now; a link that is no more comes with all its counts 0 and no dates.
	// It returns the revision up to which that holds.
	ChangedLinks(ctx context.Context, tenant string, since int64, f func(Link) error) (revision int64, err error)
}
