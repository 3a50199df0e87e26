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
	// Checks are those that were made, in order; the first that fails is the last.
	Checks []DocumentCheck `json:"checks"`
}

// DocumentCheck is one thing that was looked at.
type DocumentCheck struct {
	Name  string `json:"name" enum:"signed,kept,keys,chain,mark,signer"`
	Holds bool   `json:"holds"`
}

// What is looked at.
const (
	checkSigned = "signed" // a contract with these bytes was signed here
	checkKept   = "kept"   // the stored file has the hash under which it is kept
	checkKeys   = "keys"   // the public keys of the house are those that their ids name
	checkChain  = "chain"  // no signature was changed or taken out
	checkMark   = "mark"   // the house signed each that names its key
	checkSigner = "signer" // somebody's signature is on these bytes
)

// found notes a check; why says what is wrong, "" for nothing. It tells whether it holds.
func (v *ContractCheck) found(name, why string) bool {
	v.Checks = append(v.Checks, DocumentCheck{name, why == ""})
	v.Why = why
	return why == ""
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
	v := ContractCheck{Signatures: []contract.Signature{}, Checks: []DocumentCheck{}}
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
			v.found(checkSigned, fmt.Sprintf("this is not the file that was signed: its SHA-256 is %s, that of the signed one %s", v.Document, last))
			return v, nil
		}
		v.Document = last
	}
	body, id, err := store.Document(ctx, tenant, v.Document)
	if errors.Is(err, contract.ErrAbsent) {
		v.found(checkSigned, "no contract with these bytes was signed here: the file was changed, or it is not of this house")
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.found(checkSigned, "")
	v.ApplicationID = id
	why := ""
	if got := credit.Hash(body); got != v.Document {
		why = "the stored file was changed: its SHA-256 is " + got
	}
	if !v.found(checkKept, why) {
		return v, nil
	}
	return v, v.walk(ctx, store, tenant)
}

// walk checks the chain and gathers the signatures on the document.
func (v *ContractCheck) walk(ctx context.Context, store Archive, tenant string) error {
	keys, wrong, err := houseKeys(ctx, store, tenant)
	if err != nil || !v.found(checkKeys, wrong) {
		return err
	}
	mark := ""
	for previous := ""; ; {
		page, err := store.Signatures(ctx, tenant, "", v.Chain, 1000)
		if err != nil {
			return err
		}
		for _, s := range page {
			if s.Document == v.Document {
				v.Signatures = append(v.Signatures, s)
			}
			bare := s
			bare.KeyID = "" // its content and place alone
			if err := bare.Check(previous, nil); err != nil || s.Nr != v.Chain+1 || s.Tenant != tenant {
				why := fmt.Sprintf("the chain of signatures was changed at number %d", v.Chain+1)
				if err != nil {
					why += ": " + err.Error()
				}
				v.found(checkChain, why)
				return nil
			}
			if err := s.Check(previous, keys); err != nil && mark == "" {
				mark = err.Error()
			}
			previous, v.Chain = s.Hash, s.Nr
		}
		if len(page) == 0 {
			break
		}
	}
	v.found(checkChain, "")
	if !v.found(checkMark, mark) {
		return nil
	}
	nobody := ""
	if len(v.Signatures) == 0 {
		nobody = "nobody's signature on this file is in the chain"
	}
	v.Genuine = v.found(checkSigner, nobody)
	return nil
}

// houseKeys are the public keys of the house by id; wrong names one that was changed.
func houseKeys(ctx context.Context, store Archive, tenant string) (keys map[string]ed25519.PublicKey, wrong string, err error) {
	texts, err := store.Keys(ctx, tenant)
	keys = make(map[string]ed25519.PublicKey, len(texts))
	for id, text := range texts {
		key, err := contract.ReadPublic(text)
		if err != nil || contract.KeyID(key) != id {
			return nil, "the public key " + id + " in the books was changed", nil
		}
		keys[id] = key
	}
	return keys, "", err
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
