package apply

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/contract"
)

// Question is about a contract: a file, the id of its application, or both.
type Question struct {
	File          []byte
	ApplicationID string
}

// ContractCheck says whether a file is the contract that was signed, and who signed it.
type ContractCheck struct {
	Genuine       bool                 `json:"genuine"` // every check holds
	Why           string               `json:"why,omitempty"`
	ApplicationID string               `json:"application_id,omitempty"`
	Document      string               `json:"document"` // SHA-256 of the file, or of the stored one, hex
	Signatures    []contract.Signature `json:"signatures"`
	Chain         int64                `json:"chain"` // signatures of the house that were checked
}

// Archive is what a verification reads; Store has it.
type Archive interface {
	Document(ctx context.Context, tenant, hash string) (body []byte, applicationID string, err error)
	Signatures(ctx context.Context, tenant, applicationID string, after int64, limit int) ([]contract.Signature, error)
	Keys(ctx context.Context, tenant string) (map[string]string, error)
}

// Verify answers q; see [Verify].
func (s *Service) Verify(ctx context.Context, tenant string, q Question) (ContractCheck, error) {
	return Verify(ctx, s.cfg.Store, tenant, q)
}

// Verify says whether a file is byte for byte a contract that was signed. It walks the
// whole chain of the tenant's signatures, so that one that was taken out or changed
// anywhere is found, and checks the mark of the house on each. Without a file it checks
// the stored one. contract.ErrAbsent for an application that has no signature.
func Verify(ctx context.Context, store Archive, tenant string, q Question) (ContractCheck, error) {
	v := ContractCheck{Signatures: []contract.Signature{}}
	if q.File != nil {
		v.Document = credit.Hash(q.File)
	}
	var all []contract.Signature
	if q.ApplicationID != "" {
		var err error
		if all, err = store.Signatures(ctx, tenant, q.ApplicationID, 0, 1000); err != nil {
			return v, err
		}
		if len(all) == 0 {
			return v, contract.ErrAbsent
		}
		v.ApplicationID = q.ApplicationID
		last := all[len(all)-1].Document
		if q.File != nil && v.Document != last {
			v.Signatures = all
			v.Why = fmt.Sprintf("this is not the file that was signed: its SHA-256 is %s, that of the signed one %s", v.Document, last)
			return v, nil
		}
		v.Document = last
	}
	body, id, err := store.Document(ctx, tenant, v.Document)
	if errors.Is(err, contract.ErrAbsent) {
		v.Why = "no contract with these bytes was signed here: the file was changed, or it is not of this house"
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.ApplicationID = id
	if got := credit.Hash(body); got != v.Document {
		v.Why = "the stored file was changed: its SHA-256 is " + got
		return v, nil
	}
	return v, v.walk(ctx, store, tenant)
}

// walk checks the chain and gathers the signatures on the document.
func (v *ContractCheck) walk(ctx context.Context, store Archive, tenant string) error {
	texts, err := store.Keys(ctx, tenant)
	if err != nil {
		return err
	}
	keys := make(map[string]ed25519.PublicKey, len(texts))
	for id, text := range texts {
		key, err := contract.ReadPublic(text)
		if err != nil || contract.KeyID(key) != id {
			v.Why = "the public key " + id + " in the books was changed"
			return nil
		}
		keys[id] = key
	}
	for previous := ""; ; {
		page, err := store.Signatures(ctx, tenant, "", v.Chain, 1000)
		if err != nil {
			return err
		}
		for _, s := range page {
			if s.Document == v.Document {
				v.Signatures = append(v.Signatures, s)
			}
			if err := s.Check(previous, keys); err != nil || s.Nr != v.Chain+1 || s.Tenant != tenant {
				v.Why = "the chain of signatures was changed at number " + fmt.Sprint(v.Chain+1)
				if err != nil {
					v.Why += ": " + err.Error()
				}
				return nil
			}
			previous, v.Chain = s.Hash, s.Nr
		}
		if len(page) == 0 {
			break
		}
	}
	if len(v.Signatures) == 0 {
		v.Why = "nobody's signature on this file is in the chain"
		return nil
	}
	v.Genuine = true
	return nil
}

// HouseKey is a public key with which the house signs or signed.
type HouseKey struct {
	ID  string `json:"id"`  // the first half of the SHA-256 of the key, hex
	PEM string `json:"pem"` // PKIX, Ed25519
	Now bool   `json:"now"` // it signs now
}

// Keys are those of the tenant's house, by id.
func (s *Service) Keys(ctx context.Context, tenant string) ([]HouseKey, error) {
	texts, err := s.cfg.Store.Keys(ctx, tenant)
	out := make([]HouseKey, 0, len(texts))
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		out = append(out, HouseKey{id, texts[id], s.cfg.House != nil && s.cfg.House.ID == id})
	}
	return out, err
}
