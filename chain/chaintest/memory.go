// Package chaintest has a chain.Store in memory for the tests of the rooms above it.
package chaintest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/money"
)

// Memory is a chain.Store in memory, safe for concurrent use. The zero value is
// empty and ready.
type Memory struct {
	mu      sync.Mutex
	firms   []chain.Party
	origin  map[string]string // firm → upload that brought it
	docs    []chain.Document
	keys    map[string]money.Fen // by tenant and row key
	uploads []chain.Upload
	changes int64
}

var _ chain.Store = (*Memory)(nil)

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
	names := map[string]string{}
	for _, p := range m.firms {
		names[p.ID] = p.Name
	}
	byPair, seen := map[string]*chain.Link{}, map[string]bool{}
	for _, d := range m.docs {
		if d.Tenant != tenant {
			continue
		}
		l := byPair[d.SellerID+d.BuyerID]
		if l == nil {
			l = &chain.Link{SellerID: d.SellerID, BuyerID: d.BuyerID, Seller: names[d.SellerID], Buyer: names[d.BuyerID]}
			byPair[d.SellerID+d.BuyerID] = l
		}
		key := strings.Join([]string{d.SellerID, d.BuyerID, string(d.Kind), chain.NumberKey(d.Number)}, "\x00")
		if d.Kind == chain.Suppliers || seen[key] {
			continue
		}
		seen[key] = true
		if l.FirstDate == "" || d.Date < l.FirstDate {
			l.FirstDate = d.Date
		}
		l.LastDate = max(l.LastDate, d.Date)
		switch d.Kind {
		case chain.Order:
			l.Orders++
		case chain.Invoice:
			l.Invoices++
			l.Invoiced += d.Amount
		case chain.Payment:
			l.Payments++
			l.Paid += d.Amount
		case chain.Delivery, chain.Suppliers:
		}
	}
	m.mu.Unlock()
	var links []*chain.Link
	for _, l := range byPair {
		links = append(links, l)
	}
	slices.SortFunc(links, func(a, b *chain.Link) int {
		return cmp.Or(cmp.Compare(b.Invoiced, a.Invoiced), cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID))
	})
	for _, l := range links {
		if err := f(*l); err != nil {
			return err
		}
	}
	return nil
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
			(d.Kind == kind || kind == "" && d.Kind != chain.Suppliers)
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

// KnownDocuments implements chain.Store.
func (m *Memory) KnownDocuments(_ context.Context, tenant string, keys []string) (map[string]money.Fen, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]money.Fen{}
	for _, k := range keys {
		if amount, ok := m.keys[tenant+k]; ok {
			out[k] = amount
		}
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
func (m *Memory) Uploads(_ context.Context, tenant, anchorID string) ([]chain.Upload, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []chain.Upload{}
	for _, u := range slices.Backward(m.uploads) {
		if u.Tenant == tenant && (anchorID == "" || u.AnchorID == anchorID) {
			out = append(out, u)
		}
	}
	return out, nil
}

// CommitUpload implements chain.Store.
func (m *Memory) CommitUpload(_ context.Context, u chain.Upload, firms []chain.Party, docs []chain.Document) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.move(u, chain.UploadChecked, false) {
		return 0, chain.ErrUploadState.With("state", u.State)
	}
	if m.changes != u.Revision {
		return 0, chain.ErrUploadRaced
	}
	if err := m.save(firms, u.ID); err != nil {
		return 0, err
	}
	m.move(u, chain.UploadChecked, true)
	known := 0
	for _, d := range docs {
		if _, there := m.keys[u.Tenant+d.Key]; there {
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
	if !m.move(u, chain.UploadCommitted, true) {
		return chain.ErrUploadState.With("state", u.State)
	}
	m.changes++
	m.docs = slices.DeleteFunc(m.docs, func(d chain.Document) bool {
		if d.UploadID == u.ID {
			delete(m.keys, d.Tenant+d.Key)
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
		m.keys = map[string]money.Fen{}
	}
	m.keys[d.Tenant+d.Key] = d.Amount
	m.docs = append(m.docs, d)
}

// move changes the state of an upload that is in state from.
func (m *Memory) move(u chain.Upload, from chain.UploadState, write bool) bool {
	i := slices.IndexFunc(m.uploads, func(o chain.Upload) bool { return o.ID == u.ID && o.State == from })
	if i >= 0 && write {
		m.uploads[i] = u
	}
	return i >= 0
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
		d.Tenant, d.Key = tenant, chain.RowKey(d)
		m.put(d)
	}
}
