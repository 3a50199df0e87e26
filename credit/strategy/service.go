package strategy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/internal/recall"
)

// Config is what the service needs.
type Config struct {
	Store Store
	// Shipped are the policies of the catalogue: in force where a tenant has published
	// none of that name.
	Shipped *policy.Set
	History History
	Models  Models // nil has none
	Now     func() time.Time
	// Fresh is how long what is in force is remembered before the store is asked
	// whether it changed; 0 means two seconds.
	Fresh time.Duration
}

// Service keeps the versions of a tenant's policies and says which decide.
type Service struct {
	cfg Config

	force recall.Memory[*inForce] // by tenant
}

// inForce are the policies of a tenant: those of the catalogue with the champions in
// their places, and beside them sets with one challenger or shadow in its place.
type inForce struct {
	revision  int64
	champions *policy.Set
	ids       map[string]string   // policy -> version of the champion, none for the catalogue's
	others    map[string][]*other // policy -> challenger and shadows
}

type other struct {
	version Version
	set     *policy.Set
}

// Compiled is a version ready to decide.
type Compiled struct {
	VersionID string // "" for a policy of the catalogue
	Policy    *policy.Policy
}

// New returns a service.
func New(cfg Config) *Service {
	if cfg.Fresh == 0 {
		cfg.Fresh = 2 * time.Second
	}
	s := &Service{cfg: cfg}
	s.force = recall.Memory[*inForce]{Ask: s.newest, For: cfg.Fresh, Now: cfg.Now}
	return s
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Choice is who decides about an applicant.
type Choice struct {
	Decides Compiled
	// Arm is Champion, or Challenger for the applicants that its share falls upon.
	Arm     Status
	Shadows []Compiled
}

// Choose says which version decides about an applicant: of the policy of that name, or
// of the one that extends it for the applicant's industry. It is always the same one of
// champion and challenger while both stay in force. policy.ErrUnknown.
func (s *Service) Choose(ctx context.Context, tenant, name string, who credit.Applicant) (Choice, error) {
	f, err := s.force.Get(ctx, tenant)
	if err != nil {
		return Choice{}, err
	}
	p, err := f.champions.For(name, who.Industry)
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Decides: Compiled{f.ids[p.Name], p}, Arm: Champion}
	for _, o := range f.others[p.Name] {
		its, err := o.set.Policy(p.Name)
		if err != nil {
			return Choice{}, err
		}
		switch {
		case o.version.Status == Shadow:
			c.Shadows = append(c.Shadows, Compiled{o.version.ID, its})
		case lot(p.Name, who.UserID) < o.version.ShareBP:
			c.Decides, c.Arm = Compiled{o.version.ID, its}, Challenger
		}
	}
	return c, nil
}

// lot is where an applicant falls among 10,000, for one policy independently of the
// others.
func lot(name, applicant string) int {
	sum := sha256.Sum256([]byte(name + "\x00" + applicant))
	return int(binary.BigEndian.Uint64(sum[:8]) % 10_000) //nolint:gosec // below 10,000
}

// newest is what is in force at a tenant, where have is what was.
func (s *Service) newest(ctx context.Context, tenant string, have *inForce) (*inForce, error) {
	revision, err := s.cfg.Store.Revision(ctx, tenant)
	if err != nil || have != nil && have.revision == revision {
		return have, err
	}
	return s.compile(ctx, tenant, revision)
}

func (v Version) file() policy.File {
	return policy.File{Name: fmt.Sprintf("%s, version %d", v.Name, v.Number), Policy: v.Name, Source: []byte(v.Source)}
}

func (s *Service) compile(ctx context.Context, tenant string, revision int64) (*inForce, error) {
	versions, err := s.cfg.Store.InForce(ctx, tenant)
	if err != nil {
		return nil, err
	}
	f := &inForce{revision: revision, champions: s.cfg.Shipped, ids: make(map[string]string), others: make(map[string][]*other)}
	var champions []policy.File
	for _, v := range versions {
		if v.Status == Champion {
			champions = append(champions, v.file())
			f.ids[v.Name] = v.ID
		}
	}
	if len(champions) > 0 {
		if f.champions, err = s.cfg.Shipped.With(champions...); err != nil {
			return nil, err
		}
	}
	for _, v := range versions {
		if v.Status == Champion {
			continue
		}
		set, err := f.champions.With(v.file())
		if err != nil {
			return nil, err
		}
		v.Source = ""
		f.others[v.Name] = append(f.others[v.Name], &other{v, set})
	}
	return f, nil
}

// check compiles a text among the policies in force; policy.ErrFile.
func (s *Service) check(ctx context.Context, tenant, source string) (*policy.Policy, error) {
	_, p, err := s.among(ctx, tenant, source)
	return p, err
}

// among is check, with the set of the policies in force in which the text stands.
func (s *Service) among(ctx context.Context, tenant, source string) (*policy.Set, *policy.Policy, error) {
	f, err := s.force.Get(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	file := policy.NewFile("policy", []byte(source))
	if file.Policy == "" {
		_, err := policy.Parse("policy", []byte(source)) // says what is wrong with it
		return nil, nil, err
	}
	set, err := f.champions.With(file)
	if err != nil {
		return nil, nil, err
	}
	p, err := set.Policy(file.Policy)
	return set, p, err
}

// Localise returns d with its words in lang, those of the policies in force.
func (s *Service) Localise(ctx context.Context, tenant string, d credit.Decision, lang string) (credit.Decision, error) {
	f, err := s.force.Get(ctx, tenant)
	if err != nil {
		return d, err
	}
	return f.champions.Localise(d, lang), nil
}

// InUse is a policy with what decides now.
type InUse struct {
	Name    string             `json:"name"`
	Subject credit.SubjectKind `json:"subject"`
	// Shipped is the text of the catalogue, "" where it has none; it decides while there
	// is no champion.
	Shipped string `json:"shipped,omitempty"`
	// Extends is the policy that it is laid over for some industries, beginnings of codes.
	Extends    string    `json:"extends,omitempty"`
	Industries []string  `json:"industries,omitempty"`
	Decides    string    `json:"decides"`  // name@version:hash
	Versions   []Version `json:"versions"` // those in force, without their texts
}

// InUse are the policies of the catalogue and of the tenant by name.
func (s *Service) InUse(ctx context.Context, tenant string) ([]InUse, error) {
	versions, err := s.cfg.Store.InForce(ctx, tenant)
	if err != nil {
		return nil, err
	}
	f, err := s.force.Get(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []InUse
	for _, p := range f.champions.All() {
		u := InUse{Name: p.Name, Subject: p.Subject, Extends: p.Extends, Industries: p.Industries, Decides: p.ID(), Versions: []Version{}}
		for _, file := range s.cfg.Shipped.Files() {
			if file.Policy == p.Name {
				u.Shipped = string(file.Source)
			}
		}
		for _, v := range versions {
			if v.Name == p.Name {
				v.Source = ""
				u.Versions = append(u.Versions, v)
			}
		}
		out = append(out, u)
	}
	return out, nil
}

// Draft keeps a new version. Its text is checked and compiled: policy.ErrFile.
func (s *Service) Draft(ctx context.Context, actor access.Actor, source, note, basedOn string) (Version, error) {
	p, err := s.check(ctx, actor.Tenant, source)
	if err != nil {
		return Version{}, err
	}
	if note, err = checkNote(note); err != nil {
		return Version{}, err
	}
	if basedOn != "" {
		base, err := s.cfg.Store.Version(ctx, actor.Tenant, basedOn)
		if err != nil {
			return Version{}, err
		}
		if base.Name != p.Name {
			return Version{}, ErrName.At("body.source").With("want", base.Name).With("got", p.Name)
		}
	}
	now := s.now()
	v := Version{
		ID: ident.New(), Tenant: actor.Tenant, Name: p.Name, Label: p.Version, Source: source, Hash: p.Hash, Status: Draft, Note: note,
		Author: actor.UserID, ByName: actor.Name, BasedOn: basedOn, Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
	return s.cfg.Store.Add(ctx, v, event(actor, v.ID, "", Draft, note, now))
}

// Revise puts another text in place of a draft's, of which the caller saw the
// revision: ErrChanged when that is not the newest.
func (s *Service) Revise(ctx context.Context, actor access.Actor, id string, revision int, source, note string) (Version, error) {
	v, err := s.cfg.Store.Version(ctx, actor.Tenant, id)
	if err != nil {
		return Version{}, err
	}
	p, err := s.check(ctx, actor.Tenant, source)
	if err != nil {
		return Version{}, err
	}
	if p.Name != v.Name {
		return Version{}, ErrName.At("body.source").With("want", v.Name).With("got", p.Name)
	}
	if note, err = checkNote(note); err != nil {
		return Version{}, err
	}
	v.Label, v.Source, v.Hash, v.Note, v.Revision, v.UpdatedAt = p.Version, source, p.Hash, note, revision+1, s.now()
	v.Author, v.ByName = actor.UserID, actor.Name
	return v, s.cfg.Store.Revise(ctx, v)
}

func event(actor access.Actor, id string, from, to Status, note string, at time.Time) VersionEvent {
	return VersionEvent{VersionID: id, From: from, To: to, Actor: actor.UserID, ActorName: actor.Name, Note: note, At: at}
}

func checkNote(note string) (string, error) {
	note = strings.TrimSpace(note)
	if note == "" || utf8.RuneCountInString(note) > 1000 {
		return "", ErrNote.At("body.note")
	}
	return note, nil
}

// Submit gives a draft to review.
func (s *Service) Submit(ctx context.Context, actor access.Actor, id, note string) (Version, error) {
	return s.move(ctx, actor, id, InReview, note, nil)
}

// Recall takes a version back from review to be changed.
func (s *Service) Recall(ctx context.Context, actor access.Actor, id, note string) (Version, error) {
	return s.move(ctx, actor, id, Draft, note, nil)
}

// Review approves or rejects a version that somebody else wrote; ErrSamePerson.
func (s *Service) Review(ctx context.Context, actor access.Actor, id string, approve bool, note string) (Version, error) {
	to := Rejected
	if approve {
		to = Approved
	}
	return s.move(ctx, actor, id, to, note, func(v *Version) error {
		if v.Author == actor.UserID {
			return ErrSamePerson
		}
		return nil
	})
}

// Publish has a reviewed version decide from now on; the one that did is retired.
// Publishing a retired one rolls back to it.
func (s *Service) Publish(ctx context.Context, actor access.Actor, id, note string) (Version, error) {
	return s.move(ctx, actor, id, Champion, note, func(v *Version) error {
		v.ShareBP = 0
		return nil
	})
}

// Challenge has a reviewed version decide for a share of the applicants.
func (s *Service) Challenge(ctx context.Context, actor access.Actor, id string, shareBP int, note string) (Version, error) {
	if shareBP < 1 || shareBP > 5000 {
		return Version{}, ErrShare.At("body.share_bp")
	}
	return s.move(ctx, actor, id, Challenger, note, func(v *Version) error {
		v.ShareBP = shareBP
		return nil
	})
}

// Observe has a reviewed version decide without effect beside the others.
func (s *Service) Observe(ctx context.Context, actor access.Actor, id, note string) (Version, error) {
	return s.move(ctx, actor, id, Shadow, note, nil)
}

// Stop ends a challenger or a shadow.
func (s *Service) Stop(ctx context.Context, actor access.Actor, id, note string) (Version, error) {
	return s.move(ctx, actor, id, Approved, note, func(v *Version) error {
		if v.Status == InReview { // that is a review's to say
			return ErrStatus.With("status", v.Status).With("to", Approved)
		}
		v.ShareBP = 0
		return nil
	})
}

// move makes one step; check may refuse it, and sets what goes along.
func (s *Service) move(ctx context.Context, actor access.Actor, id string, to Status, note string, check func(*Version) error) (Version, error) {
	note, err := checkNote(note)
	if err != nil {
		return Version{}, err
	}
	v, err := s.cfg.Store.Version(ctx, actor.Tenant, id)
	if err != nil {
		return Version{}, err
	}
	if !May(v.Status, to) {
		return Version{}, ErrStatus.With("status", v.Status).With("to", to)
	}
	if check != nil {
		if err := check(&v); err != nil {
			return Version{}, err
		}
	}
	from := v.Status
	v.Status, v.UpdatedAt = to, s.now()
	if err := s.cfg.Store.Move(ctx, v, event(actor, id, from, to, note, v.UpdatedAt)); err != nil {
		return Version{}, err
	}
	s.force.Forget(actor.Tenant)
	return v, nil
}

// Version returns ErrNotFound.
func (s *Service) Version(ctx context.Context, tenant, id string) (Version, error) {
	return s.cfg.Store.Version(ctx, tenant, id)
}

// Versions are those of a policy, or of all with "", newest first, without their texts.
func (s *Service) Versions(ctx context.Context, tenant, name string, before, limit int) ([]Version, error) {
	return s.cfg.Store.Versions(ctx, tenant, name, before, limit)
}

// Events are the moves of a version, oldest first.
func (s *Service) Events(ctx context.Context, tenant, id string) ([]VersionEvent, error) {
	return s.cfg.Store.Events(ctx, tenant, id)
}

// Ghosts are what a shadow said, newest first.
func (s *Service) Ghosts(ctx context.Context, tenant, id, before string, limit int) ([]Ghost, error) {
	return s.cfg.Store.Ghosts(ctx, tenant, id, before, limit)
}
