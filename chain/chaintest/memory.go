// Package chaintest has a chain.Store in memory for the tests of the rooms above it.
package chaintest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Memory is a chain.Store in memory, safe for concurrent use. The zero value is
// empty and ready.
type Memory struct {
	mu      sync.Mutex
	firms   []chain.Party
	origin  map[string]string // firm → upload that brought it
	docs    []chain.Document
	keys    map[string]chain.KnownDocument // by tenant and row key
	uploads []chain.Upload
	parts   map[string][][]byte       // by upload and stream
	leans   map[string]map[string]int // upload → uploads whose rows it brought again
	changed map[pair]int64            // revision at which the trade of a pair last changed
	changes int64
}

var (
	_ chain.Store   = (*Memory)(nil)
	_ chain.Changes = (*Memory)(nil)
)

// pair is a seller and a buyer of a tenant.
type pair struct{ tenant, seller, buyer string }

func (m *Memory) firm(match func(chain.Party) bool) []chain.Party {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []chain.Party
	for _, p := range m.firms {
		if match(p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b chain.Party) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func one(p []chain.Party) (chain.Party, error) {
	if len(p) == 0 {
		return chain.Party{}, chain.ErrFirmNotFound
	}
	return p[0], nil
}

// Firm implements chain.Store.
func (m *Memory) Firm(_ context.Context, tenant, id string) (chain.Party, error) {
	return one(m.firm(func(p chain.Party) bool { return p.Tenant == tenant && p.ID == id }))
}

// FirmsByID implements chain.Store.
func (m *Memory) FirmsByID(ctx context.Context, tenant string, ids []string) ([]chain.Party, error) {
	var out []chain.Party
	for _, id := range ids {
		if p, err := m.Firm(ctx, tenant, id); err == nil {
			out = append(out, p)
		}
	}
	return out, nil
}

// FirmByUSCC implements chain.Store.
func (m *Memory) FirmByUSCC(_ context.Context, tenant, uscc string) (chain.Party, error) {
	return one(m.firm(func(p chain.Party) bool { return p.Tenant == tenant && uscc != "" && p.USCC == uscc }))
}

// FirmByName implements chain.Store.
func (m *Memory) FirmByName(_ context.Context, tenant, key string) ([]chain.Party, error) {
	p := m.firm(func(p chain.Party) bool { return p.Tenant == tenant && p.NameKey == key })
	if len(p) == 0 {
		return nil, chain.ErrFirmNotFound
	}
	return p, nil
}

// Firms implements chain.Store.
func (m *Memory) Firms(_ context.Context, tenant string, f chain.PartyFilter) ([]chain.Party, error) {
	p := m.firm(func(p chain.Party) bool {
		return p.Tenant == tenant && p.ID > f.After && (!f.Anchors || p.AnchorOf) && (f.OwnerID == "" || p.OwnerID == f.OwnerID) &&
			(f.Query == "" || strings.Contains(p.NameKey, party.Normalise(f.Query)) || strings.Contains(p.USCC, party.Clean(f.Query)))
	})
	limit := min(cmp.Or(f.Limit, 100), 1000)
	return p[:min(limit, len(p))], nil
}

// SaveFirms implements chain.Store.
func (m *Memory) SaveFirms(_ context.Context, firms []chain.Party) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.save(firms, "")
}

func (m *Memory) save(firms []chain.Party, upload string) error {
	if m.origin == nil {
		m.origin = map[string]string{}
	}
	m.changes++
	next := slices.Clone(m.firms)
	for _, p := range firms {
		p.NameKey = party.Normalise(p.Name)
		at := slices.IndexFunc(next, func(o chain.Party) bool { return o.ID == p.ID })
		if slices.ContainsFunc(next, func(o chain.Party) bool {
			return o.ID != p.ID && o.Tenant == p.Tenant && o.USCC != "" && o.USCC == p.USCC
		}) {
			return chain.ErrFirmTaken
		}
		if at >= 0 {
			next[at] = p
			continue
		}
		next = append(next, p)
		m.origin[p.ID] = upload
	}
	m.firms = next
	return nil
}

// Revision implements chain.Store.
func (m *Memory) Revision(context.Context, string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes, nil
}

// Links implements chain.Store.
func (m *Memory) Links(ctx context.Context, tenant, id string) ([]chain.Link, error) {
	var out []chain.Link
	err := m.AllLinks(ctx, tenant, func(l chain.Link) error {
		if l.SellerID == id || l.BuyerID == id {
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// AllLinks implements chain.Store.
func (m *Memory) AllLinks(_ context.Context, tenant string, f func(chain.Link) error) error {
	m.mu.Lock()
	links := m.links(tenant)
	m.mu.Unlock()
	return each(links, f)
}

// ChangedLinks implements chain.Changes.
func (m *Memory) ChangedLinks(_ context.Context, tenant string, since int64, f func(chain.Link) error) (int64, error) {
	m.mu.Lock()
	now := m.changes
	links := m.links(tenant)
	changed := map[pair]chain.Link{}
	for p, at := range m.changed {
		if p.tenant == tenant && at > since {
			changed[p] = chain.Link{SellerID: p.seller, BuyerID: p.buyer}
		}
	}
	m.mu.Unlock()
	for p := range changed {
		if l, ok := links[p]; ok {
			changed[p] = l
		}
	}
	return now, each(changed, f)
}

func each(links map[pair]chain.Link, f func(chain.Link) error) error {
	sorted := slices.SortedFunc(maps.Values(links), func(a, b chain.Link) int {
		return cmp.Or(cmp.Compare(b.Invoiced, a.Invoiced), cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID))
	})
	for _, l := range sorted {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

// links sums the documents of a tenant between the firms for which they count. Those of
// one number are one, and none when one of them is void.
func (m *Memory) links(tenant string) map[pair]chain.Link {
	firms := map[string]chain.Party{}
	for _, p := range m.firms {
		firms[p.ID] = p
	}
	type number struct {
		pair
		kind chain.DocKind
		key  string
	}
	void, amount, contracts := map[number]bool{}, map[number]money.Fen{}, map[number]bool{}
	docs := slices.Clone(m.docs)
	of := func(d chain.Document) number {
		return number{pair{tenant, survivor(firms, d.SellerID), survivor(firms, d.BuyerID)}, d.Kind, d.NumberKey()}
	}
	for _, d := range docs {
		n := of(d)
		void[n] = void[n] || d.Void
		if old, there := amount[n]; !there || d.Amount > old {
			amount[n] = d.Amount
		}
	}
	for n := range amount {
		contracts[n] = n.kind == chain.Contract && !void[n]
	}
	out, counted := map[pair]chain.Link{}, map[number]bool{}
	for _, d := range docs {
		n := of(d)
		if d.Tenant != tenant || n.seller == n.buyer {
			continue
		}
		l, there := out[n.pair]
		if !there {
			l = chain.Link{SellerID: n.seller, BuyerID: n.buyer, Seller: firms[n.seller].Name, Buyer: firms[n.buyer].Name}
		}
		if !void[n] && d.Kind != chain.Suppliers && d.Kind != chain.Statement {
			if l.FirstDate == "" || d.Date < l.FirstDate {
				l.FirstDate = d.Date
			}
			l.LastDate = max(l.LastDate, d.Date)
			if !counted[n] {
				counted[n] = true
				within := d.Kind == chain.Order && d.ContractNo != "" && contracts[number{n.pair, chain.Contract, chain.NumberKey(d.ContractNo)}]
				count(&l, d.Kind, amount[n], within)
			}
		}
		out[n.pair] = l
	}
	return out
}

func count(l *chain.Link, kind chain.DocKind, amount money.Fen, within bool) {
	switch kind {
	case chain.Contract:
		l.Contracts++
		l.Ordered += amount
	case chain.Order:
		l.Orders++
		if !within {
			l.Ordered += amount
		}
	case chain.Delivery:
		l.Deliveries++
	case chain.Invoice:
		l.Invoices++
		l.Invoiced += amount
	case chain.Payment:
		l.Payments++
		l.Paid += amount
	case chain.Confirmation:
		l.Confirmations++
	case chain.Suppliers, chain.Statement:
	}
}

func survivor(firms map[string]chain.Party, id string) string {
	if p, ok := firms[id]; ok {
		return p.Survivor()
	}
	return id
}

func (m *Memory) find(match func(chain.Document) bool) []chain.Document {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []chain.Document
	for _, d := range m.docs {
		if match(d) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Documents implements chain.Store.
func (m *Memory) Documents(_ context.Context, tenant, id string, kind chain.DocKind) ([]chain.Document, error) {
	return m.find(func(d chain.Document) bool {
		return d.Tenant == tenant && (d.SellerID == id || d.BuyerID == id) &&
			(d.Kind == kind || kind == "" && d.Kind != chain.Suppliers && d.Kind != chain.Statement)
	}), nil
}

// AllDocuments implements chain.Store.
func (m *Memory) AllDocuments(_ context.Context, tenant string, kind chain.DocKind, f func(chain.Document) error) error {
	for _, d := range m.find(func(d chain.Document) bool { return d.Tenant == tenant && d.Kind == kind }) {
		if err := f(d); err != nil {
			return err
		}
	}
	return nil
}

// DocumentsBySeller implements chain.Store.
func (m *Memory) DocumentsBySeller(_ context.Context, tenant string, f func([]chain.Document) error) error {
	bySeller := map[string][]chain.Document{}
	for _, d := range m.find(func(d chain.Document) bool {
		return d.Tenant == tenant && d.Kind != chain.Suppliers && d.Kind != chain.Statement
	}) {
		bySeller[d.SellerID] = append(bySeller[d.SellerID], d)
	}
	for _, id := range slices.Sorted(maps.Keys(bySeller)) {
		if err := f(bySeller[id]); err != nil {
			return err
		}
	}
	return nil
}

// KnownDocuments implements chain.Store.
func (m *Memory) KnownDocuments(_ context.Context, tenant string, docs []chain.Document) ([]chain.KnownDocument, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]chain.KnownDocument, len(docs))
	for i, d := range docs {
		out[i] = m.keys[tenant+chain.RowKey(d)]
	}
	return out, nil
}

// AddUpload implements chain.Store.
func (m *Memory) AddUpload(_ context.Context, u chain.Upload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploads = append(m.uploads, u)
	return nil
}

// Upload implements chain.Store.
func (m *Memory) Upload(_ context.Context, tenant, id string) (chain.Upload, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.uploads {
		if u.Tenant == tenant && u.ID == id {
			return u, nil
		}
	}
	return chain.Upload{}, chain.ErrUploadNotFound
}

// Uploads implements chain.Store.
func (m *Memory) Uploads(_ context.Context, tenant string, f chain.UploadFilter) ([]chain.Upload, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out, limit, after := []chain.Upload{}, min(cmp.Or(f.Limit, 100), 1000), f.Before == ""
	for _, u := range slices.Backward(m.uploads) {
		if after && len(out) < limit && u.Tenant == tenant && (f.AnchorID == "" || u.AnchorID == f.AnchorID) && (f.SHA256 == "" || u.SHA256 == f.SHA256) {
			u.Errors = []chain.RowError{}
			out = append(out, u)
		}
		after = after || u.ID == f.Before
	}
	return out, nil
}

// MoveUpload implements chain.Store.
func (m *Memory) MoveUpload(_ context.Context, u chain.Upload, from chain.UploadState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.move(u, true, from)
}

// AddPart implements chain.Store.
func (m *Memory) AddPart(_ context.Context, u chain.Upload, stream chain.PartStream, n int, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.parts == nil {
		m.parts = map[string][][]byte{}
	}
	key := u.ID + string(stream)
	if n != len(m.parts[key]) {
		return fmt.Errorf("chaintest: part %d after %d", n, len(m.parts[key]))
	}
	m.parts[key] = append(m.parts[key], slices.Clone(body))
	return nil
}

// Parts implements chain.Store.
func (m *Memory) Parts(_ context.Context, u chain.Upload, stream chain.PartStream, f func([]byte) error) error {
	m.mu.Lock()
	parts := slices.Clone(m.parts[u.ID+string(stream)])
	m.mu.Unlock()
	for _, p := range parts {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// DropUpload implements chain.Store.
func (m *Memory) DropUpload(_ context.Context, u chain.Upload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploads = slices.DeleteFunc(m.uploads, func(o chain.Upload) bool { return o.ID == u.ID })
	for _, stream := range []chain.PartStream{chain.FilePart, chain.GoodPart, chain.BadPart} {
		delete(m.parts, u.ID+string(stream))
	}
	return nil
}

// SweepParts implements chain.Store.
func (m *Memory) SweepParts(_ context.Context, _ string, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	saved := map[string]bool{}
	for _, u := range m.uploads {
		saved[u.ID] = true
	}
	maps.DeleteFunc(m.parts, func(key string, _ [][]byte) bool {
		for _, stream := range []chain.PartStream{chain.FilePart, chain.GoodPart, chain.BadPart} {
			key = strings.TrimSuffix(key, string(stream))
		}
		return !saved[key] && key < ident.At(before)
	})
	return nil
}

// AbortUpload implements chain.Store.
func (m *Memory) AbortUpload(_ context.Context, u chain.Upload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u.State = chain.UploadChecked
	return m.move(u, true, chain.UploadCommitting)
}

// CommitUpload implements chain.Store.
func (m *Memory) CommitUpload(
	_ context.Context, u chain.Upload, docs iter.Seq2[chain.Document, error], firms func() []chain.Party, leans map[string]int, progress func(int),
) (int, error) {
	var all []chain.Document // before the lock: docs may read parts
	for d, err := range docs {
		if err != nil {
			return 0, err
		}
		all = append(all, d)
	}
	progress(len(all))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.move(u, false, chain.UploadChecked); err != nil {
		return 0, err
	}
	if m.changes != u.Revision {
		return 0, chain.ErrUploadRaced
	}
	if err := m.save(firms(), u.ID); err != nil {
		return 0, err
	}
	if err := m.move(u, true, chain.UploadChecked); err != nil {
		return 0, err
	}
	if m.leans == nil {
		m.leans = map[string]map[string]int{}
	}
	m.leans[u.ID] = maps.Clone(leans)
	known := 0
	for _, d := range all {
		d.Tenant, d.UploadID, d.AnchorID = u.Tenant, u.ID, u.AnchorID
		if m.keys[u.Tenant+chain.RowKey(d)].There {
			known++
			continue
		}
		m.put(d)
	}
	return known, nil
}

// UndoUpload implements chain.Store.
func (m *Memory) UndoUpload(_ context.Context, u chain.Upload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, later := range slices.Backward(m.uploads) {
		if n := m.leans[later.ID][u.ID]; n > 0 && later.State == chain.UploadCommitted {
			return chain.ErrUploadNeeded.With("file", later.FileName).With("rows", n)
		}
	}
	if err := m.move(u, true, chain.UploadCommitted); err != nil {
		return err
	}
	m.changes++
	m.docs = slices.DeleteFunc(m.docs, func(d chain.Document) bool {
		if d.UploadID == u.ID {
			delete(m.keys, d.Tenant+d.Key)
			m.changed[pair{d.Tenant, d.SellerID, d.BuyerID}] = m.changes
		}
		return d.UploadID == u.ID
	})
	m.firms = slices.DeleteFunc(m.firms, func(p chain.Party) bool {
		return m.origin[p.ID] == u.ID && p.OwnerID == "" && !p.AnchorOf &&
			!slices.ContainsFunc(m.docs, func(d chain.Document) bool { return d.SellerID == p.ID || d.BuyerID == p.ID })
	})
	return nil
}

func (m *Memory) put(d chain.Document) {
	if m.keys == nil {
		m.keys, m.changed = map[string]chain.KnownDocument{}, map[pair]int64{}
	}
	d.Key = chain.RowKey(d)
	m.keys[d.Tenant+d.Key] = chain.KnownDocument{There: true, Amount: d.Amount, UploadID: d.UploadID}
	m.changed[pair{d.Tenant, d.SellerID, d.BuyerID}] = m.changes
	m.docs = append(m.docs, d)
}

// move changes an upload that is in one of some states.
func (m *Memory) move(u chain.Upload, write bool, from ...chain.UploadState) error {
	i := slices.IndexFunc(m.uploads, func(o chain.Upload) bool { return o.ID == u.ID && slices.Contains(from, o.State) })
	if i < 0 {
		return chain.ErrUploadState.With("state", u.State)
	}
	if write {
		m.uploads[i] = u
	}
	return nil
}

// Add puts documents of a tenant into the books as one committed upload would,
// making the firms that they name.
func (m *Memory) Add(tenant string, docs ...chain.Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	for _, d := range docs {
		for _, id := range []string{d.SellerID, d.BuyerID} {
			if !slices.ContainsFunc(m.firms, func(p chain.Party) bool { return p.ID == id }) {
				m.firms = append(m.firms, chain.Party{ID: id, Tenant: tenant, Name: id, NameKey: party.Normalise(id)})
			}
		}
		d.Tenant = tenant
		m.put(d)
	}
}
