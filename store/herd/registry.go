package herd

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
)

// chunk is how many values or rows go into one statement. SQLite finds each $n by
// going through all before it: 500 rows of ten columns take seven times as long to
// save as they do in parts of 32.
const chunk = 32

// Record implements iot.Registry.
func (s *Store) Record(ctx context.Context, tenant string, c iot.Change) (herds []string, err error) {
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		if herds, err = record(ctx, tx, tenant, c); err == nil && c.DryRun {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return herds, err
}

// errDryRun rolls back what was only tried.
var errDryRun = errors.New("store: herd: dry run")

// change is an iot.Change on its way into the tables.
type change struct {
	iot.Change
	tenant  string
	tx      store.Queryer
	fresh   map[string]bool
	before  map[string]iot.Animal
	animals []iot.Animal // all that are touched, in the order of the change
	lives   []iot.Life
	herds   map[string]iot.Herd
}

func record(ctx context.Context, tx store.Queryer, tenant string, c iot.Change) ([]string, error) {
	r := &change{Change: c, tenant: tenant, tx: tx, fresh: map[string]bool{}, before: map[string]iot.Animal{}, herds: map[string]iot.Herd{}}
	for _, step := range []func(context.Context) error{
		r.sentBefore, r.derive, r.places, r.devices, r.forget, r.clashes, r.write, r.room,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.touched(), nil
}

// sentBefore refuses events whose key its source used already.
func (r *change) sentBefore(ctx context.Context) error {
	keys, seen := map[string][]string{}, map[string]bool{}
	for _, e := range r.Events {
		if e.Key == "" {
			continue
		}
		if seen[e.Source+" "+e.Key] {
			return iot.ErrEventTwice.With("key", e.Key)
		}
		seen[e.Source+" "+e.Key] = true
		keys[e.Source] = append(keys[e.Source], e.Key)
	}
	for source, list := range keys {
		known, err := knownEvents(ctx, r.tx, r.tenant, source, list)
		if err != nil {
			return err
		}
		for _, k := range list {
			if known[k] {
				return iot.ErrEventTwice.With("key", k)
			}
		}
	}
	return nil
}

// derive tells the life of every animal of the change by all of its events.
func (r *change) derive(ctx context.Context) error {
	for _, a := range r.Animals {
		r.fresh[a.ID] = true
		r.animals = append(r.animals, a)
	}
	events := map[string][]iot.LifeEvent{}
	var known []string
	for _, e := range r.Events {
		if !r.fresh[e.AnimalID] && events[e.AnimalID] == nil {
			known = append(known, e.AnimalID)
		}
		events[e.AnimalID] = append(events[e.AnimalID], e)
	}
	err := chunks(known, func(ids []string) error {
		list, args := store.In([]any{r.tenant}, ids)
		found, err := store.Collect(ctx, r.tx, scanAnimal, `select `+animalColumns+` from animal where tenant = $1 and id in `+list, args...)
		if err != nil {
			return err
		}
		for _, a := range found {
			r.before[a.ID] = a
		}
		old, err := store.Collect(ctx, r.tx, scanEvent, `select `+eventColumns+` from life_event where tenant = $1 and animal_id in `+list, args...)
		for _, e := range old {
			events[e.AnimalID] = append(events[e.AnimalID], e)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: animal: %w", err)
	}
	for _, id := range known {
		a, ok := r.before[id]
		if !ok {
			return iot.ErrAnimalNotFound
		}
		r.animals = append(r.animals, a)
	}
	for _, a := range r.animals {
		l, err := iot.Derive(a, events[a.ID])
		if err != nil {
			return err
		}
		r.lives = append(r.lives, l)
	}
	return nil
}

// places refuses herds and pens that are not there.
func (r *change) places(ctx context.Context) error {
	get := func(id string) (iot.Herd, error) {
		if h, ok := r.herds[id]; ok {
			return h, nil
		}
		h, err := scanHerd(r.tx.QueryRow(ctx, `select `+herdColumns+` from herd where tenant = $1 and id = $2`, r.tenant, id))
		if errors.Is(err, sql.ErrNoRows) {
			return h, iot.ErrHerdNotFound
		}
		r.herds[id] = h
		return h, err
	}
	home := make(map[string]string, len(r.lives)) // herd of each animal
	for _, l := range r.lives {
		home[l.Animal.ID] = l.Animal.HerdID
		if _, err := get(l.Animal.HerdID); err != nil {
			return err
		}
	}
	for _, e := range r.Events {
		herd := cmp.Or(e.HerdID, home[e.AnimalID])
		h, err := get(herd)
		if err != nil {
			return err
		}
		if e.PenID != "" && !slices.ContainsFunc(h.Pens, func(p iot.Pen) bool { return p.ID == e.PenID }) {
			return iot.ErrPenNotFound.With("pen", e.PenID)
		}
	}
	return nil
}

// devices saves the new ones.
func (r *change) devices(ctx context.Context) error { return addDevices(ctx, r.tx, r.Devices) }

func addDevices(ctx context.Context, tx store.Queryer, devices []iot.Device) error {
	if len(devices) == 0 {
		return nil
	}
	tenant, ids := devices[0].Tenant, make([]string, len(devices))
	rows := make([][]any, len(devices))
	for i, d := range devices {
		ids[i] = d.ID
		rows[i] = []any{d.Tenant, d.ID, string(d.Kind), null(d.HerdID), d.PenID, d.Profile, d.SecretHash, d.Revoked, store.Millis(d.CreatedAt)}
	}
	err := chunks(ids, func(ids []string) error {
		list, args := store.In([]any{tenant}, ids)
		var taken string
		err := tx.QueryRow(ctx, `select id from device where tenant = $1 and id in `+list+` order by id limit 1`, args...).Scan(&taken)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = iot.ErrDeviceTaken.With("device", taken)
		}
		return err
	})
	if err != nil {
		return err
	}
	return insert(ctx, tx, `device (`+deviceColumns+`)`, rows)
}

// forget takes what was derived for the animals of the change out of the tables.
func (r *change) forget(ctx context.Context) error {
	var known []string
	for _, a := range r.animals {
		if !r.fresh[a.ID] {
			known = append(known, a.ID)
		}
	}
	return chunks(known, func(ids []string) error {
		list, args := store.In([]any{r.tenant}, ids)
		for _, stmt := range []string{
			`delete from identifier where tenant = $1 and animal_id in ` + list,
			`delete from wearing where tenant = $1 and animal_id in ` + list,
			`update animal set tag_id = null where tenant = $1 and id in ` + list,
		} {
			if _, err := r.tx.Exec(ctx, stmt, args...); err != nil {
				return fmt.Errorf("store: animal: %w", err)
			}
		}
		return nil
	})
}

// holder is a stretch of time in which an animal had a code or a tag.
type holder struct {
	animal string
	from   int64
	to     sql.NullInt64
}

func (h holder) overlaps(o holder) bool {
	return (!h.to.Valid || o.from < h.to.Int64) && (!o.to.Valid || h.from < o.to.Int64)
}

// clashes refuses codes and tags that are or were another animal's.
func (r *change) clashes(ctx context.Context) error {
	for _, scheme := range iot.Schemes() {
		had := map[string][]holder{}
		for _, l := range r.lives {
			for _, x := range l.Identifiers {
				if x.Scheme == scheme {
					had[x.Code] = append(had[x.Code], holder{l.Animal.ID, store.Millis(x.From), store.NullMillis(x.To)})
				}
			}
		}
		if err := r.others(ctx, had, `select code, animal_id, since, until from identifier where tenant = $1 and scheme = $2 and code in `, scheme); err != nil {
			return err
		}
		for _, l := range r.lives {
			for _, x := range l.Identifiers {
				if x.Scheme != scheme {
					continue
				}
				if err := r.code(ctx, x, l.Animal.ID, had[x.Code]); err != nil {
					return err
				}
			}
		}
	}
	wore := map[string][]holder{}
	for _, l := range r.lives {
		for _, w := range l.Tags {
			wore[w.Tag] = append(wore[w.Tag], holder{l.Animal.ID, store.Millis(w.From), store.NullMillis(w.To)})
		}
	}
	if err := r.others(ctx, wore, `select tag_id, animal_id, since, until from wearing where tenant = $1 and tag_id in `); err != nil {
		return err
	}
	for _, l := range r.lives {
		for _, w := range l.Tags {
			if err := r.tag(ctx, w, l.Animal.ID, wore[w.Tag]); err != nil {
				return err
			}
		}
	}
	return nil
}

// others adds what the tables know of the names; extra stands between tenant and names.
func (r *change) others(ctx context.Context, names map[string][]holder, query string, extra ...any) error {
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	return chunks(list, func(part []string) error {
		in, args := store.In(append([]any{r.tenant}, extra...), part)
		_, err := store.Collect(ctx, r.tx, func(row store.Row) (struct{}, error) {
			var name string
			var h holder
			err := row.Scan(&name, &h.animal, &h.from, &h.to)
			names[name] = append(names[name], h)
			return struct{}{}, err
		}, query+in, args...)
		return err
	})
}

func (r *change) code(ctx context.Context, x iot.Identifier, animal string, all []holder) error {
	mine := holder{animal, store.Millis(x.From), store.NullMillis(x.To)}
	for _, other := range all {
		if other.animal == animal || !iot.Forever(x.Scheme) && !mine.overlaps(other) {
			continue
		}
		_, herd, err := r.nameOf(ctx, other.animal)
		if err != nil {
			return err
		}
		if other.to.Valid {
			return iot.ErrCodeUsed.With("code", x.Code).With("herd", herd).With("until", store.Time(other.to.Int64).Format(time.DateOnly))
		}
		return iot.ErrAnimalTaken.With("code", x.Code).With("herd", herd)
	}
	return nil
}

func (r *change) tag(ctx context.Context, w iot.Wearing, animal string, all []holder) error {
	mine := holder{animal, store.Millis(w.From), store.NullMillis(w.To)}
	for _, other := range all {
		if other.animal == animal || !mine.overlaps(other) {
			continue
		}
		if !other.to.Valid && !mine.to.Valid {
			return iot.ErrTagTaken.With("tag", w.Tag)
		}
		code, herd, err := r.nameOf(ctx, other.animal)
		if err != nil {
			return err
		}
		at := store.Time(max(mine.from, other.from)).Format(time.DateOnly)
		return iot.ErrTagWorn.With("tag", w.Tag).With("code", code).With("herd", herd).With("date", at)
	}
	return nil
}

// nameOf is what people call an animal and its herd.
func (r *change) nameOf(ctx context.Context, id string) (code, herd string, err error) {
	for _, l := range r.lives {
		if l.Animal.ID == id {
			return cmp.Or(l.Animal.Identity.Code, id), r.herds[l.Animal.HerdID].Name, nil
		}
	}
	return nameOf(ctx, r.tx, r.tenant, id)
}

func nameOf(ctx context.Context, q store.Queryer, tenant, id string) (code, herd string, err error) {
	err = q.QueryRow(ctx, `select animal.code, herd.name from animal join herd on herd.tenant = animal.tenant and herd.id = animal.herd_id
		where animal.tenant = $1 and animal.id = $2`, tenant, id).Scan(&code, &herd)
	return cmp.Or(code, id), herd, err
}

// write saves the derived state and the new events.
func (r *change) write(ctx context.Context) error {
	var animals, codes, tags, events [][]any
	own := map[string]bool{}
	for _, d := range r.Devices {
		own[d.ID] = true
	}
	for _, l := range r.lives {
		a := l.Animal
		born, bred := sql.NullInt64{Int64: store.Millis(a.Born), Valid: !a.Born.IsZero()}, sql.NullInt64{Int64: store.Millis(a.Bred), Valid: !a.Bred.IsZero()}
		row := []any{a.ID, a.HerdID, a.PenID, a.Identity.Scheme, a.Identity.Code, a.Species, a.Breed, a.Sex, born, null(a.TagID), string(a.Status), bred, a.Heads, r.tenant}
		if r.fresh[a.ID] {
			animals = append(animals, row)
		} else if _, err := r.tx.Exec(ctx, `update animal set herd_id = $2, pen_id = $3, scheme = $4, code = $5, tag_id = $6, status = $7, bred = $8
			where tenant = $9 and id = $1`, a.ID, a.HerdID, a.PenID, a.Identity.Scheme, a.Identity.Code, null(a.TagID), string(a.Status), bred, r.tenant); err != nil {
			return fmt.Errorf("store: animal: %w", err)
		}
		// A tag belongs to the herd of its animal, whose gateway speaks for it.
		if a.TagID != "" && !own[a.TagID] {
			if _, err := r.tx.Exec(ctx, `update device set herd_id = $3 where tenant = $1 and id = $2`, r.tenant, a.TagID, a.HerdID); err != nil {
				return fmt.Errorf("store: device: %w", err)
			}
		}
		for _, x := range l.Identifiers {
			codes = append(codes, []any{r.tenant, x.Scheme, x.Code, a.ID, store.Millis(x.From), store.NullMillis(x.To), x.Reason, x.By})
		}
		for _, w := range l.Tags {
			tags = append(tags, []any{r.tenant, w.Tag, a.ID, store.Millis(w.From), store.NullMillis(w.To), w.Reason, w.By})
		}
	}
	for _, e := range r.Events {
		d, err := json.Marshal(detail{e.HerdID, e.PenID, e.TagID, e.Identity, e.Reason, e.Note, e.Other, e.Corrects})
		if err != nil {
			return fmt.Errorf("store: life event: %w", err)
		}
		events = append(events, []any{r.tenant, e.ID, e.AnimalID, string(e.Kind), store.Millis(e.At), store.Millis(e.Recorded), e.By, e.Source, null(e.Key), plain(string(d))})
	}
	for _, t := range []struct {
		into string
		rows [][]any
	}{
		{`animal (` + animalColumns + `, tenant)`, animals},
		{`life_event (tenant, id, animal_id, kind, at, recorded_at, actor, source, key, detail)`, events},
		{`identifier (tenant, scheme, code, animal_id, since, until, reason, actor)`, codes},
		{`wearing (tenant, tag_id, animal_id, since, until, reason, actor)`, tags},
	} {
		if err := insert(ctx, r.tx, t.into, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// room refuses herds that have become too big.
func (r *change) room(ctx context.Context) error {
	if len(r.Animals) == 0 && len(r.before) == 0 {
		return nil
	}
	for _, id := range r.touched() {
		var n int
		if err := r.tx.QueryRow(ctx, `select count(*) from animal where tenant = $1 and herd_id = $2 and status = $3`, r.tenant, id, string(iot.Alive)).Scan(&n); err != nil {
			return fmt.Errorf("store: herd: %w", err)
		}
		if n > iot.MaxHerd {
			return iot.ErrHerdTooBig.With("max", iot.MaxHerd)
		}
	}
	return nil
}

// touched are the herds whose animals or devices changed.
func (r *change) touched() []string {
	var out []string
	for _, l := range r.lives {
		out = append(out, l.Animal.HerdID)
	}
	for _, a := range r.before {
		out = append(out, a.HerdID)
	}
	for _, d := range r.Devices {
		if d.HerdID != "" {
			out = append(out, d.HerdID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// detail is the part of an event that is stored as JSON.
type detail struct {
	HerdID   string        `json:"herd_id,omitempty"`
	PenID    string        `json:"pen_id,omitempty"`
	TagID    string        `json:"tag_id,omitempty"`
	Identity *iot.AnimalID `json:"identity,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Note     string        `json:"note,omitempty"`
	Other    string        `json:"other,omitempty"`
	Corrects string        `json:"corrects,omitempty"`
}

const eventColumns = `tenant, id, animal_id, kind, at, recorded_at, actor, source, key, detail`

func scanEvent(r store.Row) (iot.LifeEvent, error) {
	var e iot.LifeEvent
	var at, recorded int64
	var key sql.NullString
	var body []byte
	if err := r.Scan(&e.Tenant, &e.ID, &e.AnimalID, &e.Kind, &at, &recorded, &e.By, &e.Source, &key, &body); err != nil {
		return e, err
	}
	var d detail
	if err := json.Unmarshal(body, &d); err != nil {
		return e, fmt.Errorf("store: life event %s: %w", e.ID, err)
	}
	if d.Identity != nil && d.Identity.Code == "" {
		d.Identity = nil
	}
	e.At, e.Recorded, e.Key = store.Time(at), store.Time(recorded), key.String
	e.HerdID, e.PenID, e.TagID, e.Identity, e.Reason, e.Note, e.Other, e.Corrects = d.HerdID, d.PenID, d.TagID, d.Identity, d.Reason, d.Note, d.Other, d.Corrects
	return e, nil
}

// SaveHerd implements iot.Registry.
func (s *Store) SaveHerd(ctx context.Context, h iot.Herd) error {
	fence, pens, err := shapes(h)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		old, err := scanHerd(tx.QueryRow(ctx, `select `+herdColumns+` from herd where tenant = $1 and id = $2`, h.Tenant, h.ID))
		if errors.Is(err, sql.ErrNoRows) {
			return iot.ErrHerdNotFound
		}
		if err != nil {
			return err
		}
		for _, p := range old.Pens {
			if slices.ContainsFunc(h.Pens, func(q iot.Pen) bool { return q.ID == p.ID }) {
				continue
			}
			var n int
			err := tx.QueryRow(ctx, `select (select count(*) from animal where tenant = $1 and herd_id = $2 and pen_id = $3)
				+ (select count(*) from device where tenant = $1 and herd_id = $2 and pen_id = $3)`, h.Tenant, h.ID, p.ID).Scan(&n)
			if err != nil {
				return err
			}
			if n > 0 {
				return iot.ErrPenInUse.With("pen", p.Name).With("n", n)
			}
		}
		_, err = tx.Exec(ctx, `update herd set owner_id = $3, owner_name = $4, name = $5, holding = $6, region = $7, fence = $8, pens = $9
			where tenant = $1 and id = $2`, h.Tenant, h.ID, h.OwnerID, h.OwnerName, h.Name, h.Holding, h.Region, fence, pens)
		return err
	})
}

// Animal implements iot.Registry.
func (s *Store) Animal(ctx context.Context, tenant, id string) (iot.Animal, error) {
	a, err := scanAnimal(s.db.QueryRow(ctx, `select `+animalColumns+` from animal where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return iot.Animal{}, iot.ErrAnimalNotFound
	}
	return a, err
}

// AnimalsByCode implements iot.Registry.
func (s *Store) AnimalsByCode(ctx context.Context, tenant string, codes []iot.AnimalID) (map[iot.AnimalID]iot.Animal, error) {
	by := map[string][]string{}
	for _, c := range codes {
		by[c.Scheme] = append(by[c.Scheme], c.Code)
	}
	out := map[iot.AnimalID]iot.Animal{}
	columns := `animal.` + strings.ReplaceAll(animalColumns, ", ", ", animal.")
	for scheme, list := range by {
		err := chunks(list, func(part []string) error {
			in, args := store.In([]any{tenant, scheme}, part)
			// Later holders of a code that wanders come last and stay.
			_, err := store.Collect(ctx, s.db, func(r store.Row) (struct{}, error) {
				var code string
				a, err := scanAnimal(rest{r, &code})
				out[iot.AnimalID{Scheme: scheme, Code: code}] = a
				return struct{}{}, err
			}, `select identifier.code, `+columns+` from identifier
				join animal on animal.tenant = identifier.tenant and animal.id = identifier.animal_id
				where identifier.tenant = $1 and identifier.scheme = $2 and identifier.code in `+in+` order by identifier.since, animal.id`, args...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rest scans a first column of its own before those of another scanner.
type rest struct {
	store.Row
	first any
}

func (r rest) Scan(dest ...any) error { return r.Row.Scan(append([]any{r.first}, dest...)...) }

// Life implements iot.Registry.
func (s *Store) Life(ctx context.Context, tenant, animalID string) (iot.Life, error) {
	a, err := s.Animal(ctx, tenant, animalID)
	if err != nil {
		return iot.Life{}, err
	}
	events, err := store.Collect(ctx, s.db, scanEvent, `select `+eventColumns+` from life_event
		where tenant = $1 and animal_id = $2 order by at, id`, tenant, animalID)
	if err != nil {
		return iot.Life{}, err
	}
	return iot.Derive(a, events)
}

// Lives implements iot.Registry.
func (s *Store) Lives(ctx context.Context, tenant, herdID string, from, to time.Time) ([]iot.Life, error) {
	kinds := make([]string, 0, len(iot.Passages()))
	for _, k := range iot.Passages() {
		kinds = append(kinds, string(k))
	}
	in, args := store.In([]any{tenant, store.Millis(from), store.Millis(to)}, kinds)
	animals, err := store.Collect(ctx, s.db, scanAnimal, `select `+animalColumns+` from animal where tenant = $1 and id in (
		select animal_id from life_event where tenant = $1 and at > $2 and at <= $3 and kind in `+in+`) order by id`, args...)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(animals))
	for i, a := range animals {
		ids[i] = a.ID
	}
	events := make(map[string][]iot.LifeEvent, len(animals))
	err = chunks(ids, func(part []string) error {
		list, args := store.In([]any{tenant}, part)
		found, err := store.Collect(ctx, s.db, scanEvent, `select `+eventColumns+` from life_event where tenant = $1 and animal_id in `+list, args...)
		for _, e := range found {
			events[e.AnimalID] = append(events[e.AnimalID], e)
		}
		return err
	})
	out := make([]iot.Life, 0, len(animals))
	for _, a := range animals {
		if err != nil {
			break
		}
		var l iot.Life
		if l, err = iot.Derive(a, events[a.ID]); slices.ContainsFunc(l.Stays, func(x iot.Stay) bool { return x.HerdID == herdID }) {
			out = append(out, l)
		}
	}
	return out, err
}

// KnownEvents implements iot.Registry.
func (s *Store) KnownEvents(ctx context.Context, tenant, source string, keys []string) (map[string]bool, error) {
	return knownEvents(ctx, s.db, tenant, source, keys)
}

func knownEvents(ctx context.Context, q store.Queryer, tenant, source string, keys []string) (map[string]bool, error) {
	known := map[string]bool{}
	err := chunks(keys, func(part []string) error {
		list, args := store.In([]any{tenant, source}, part)
		found, err := store.Collect(ctx, q, func(r store.Row) (key string, err error) { return key, r.Scan(&key) },
			`select key from life_event where tenant = $1 and source = $2 and key in `+list, args...)
		for _, k := range found {
			known[k] = true
		}
		return err
	})
	return known, err
}

// Wearers implements iot.Registry.
func (s *Store) Wearers(ctx context.Context, tenant, tag string) ([]iot.Wearing, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (iot.Wearing, error) {
		var w iot.Wearing
		var since int64
		var until sql.NullInt64
		err := r.Scan(&w.Tag, &w.Animal, &since, &until, &w.Reason, &w.By)
		w.From, w.To = store.Time(since), store.NullTime(until)
		return w, err
	}, `select tag_id, animal_id, since, until, reason, actor from wearing where tenant = $1 and tag_id = $2 order by since, animal_id`, tenant, tag)
}

// Handed implements iot.Store.
func (s *Store) Handed(ctx context.Context, tenant, herdID string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	_, err := store.Collect(ctx, s.db, func(r store.Row) (struct{}, error) {
		var tag string
		var since int64
		err := r.Scan(&tag, &since)
		out[tag] = store.Time(since)
		return struct{}{}, err
	}, `select animal.tag_id, coalesce((select now.since from wearing now
			where now.tenant = animal.tenant and now.tag_id = animal.tag_id and now.until is null), 0) from animal
		where animal.tenant = $1 and animal.herd_id = $2 and animal.tag_id is not null and 1 < (
			select count(*) from wearing past where past.tenant = animal.tenant and past.tag_id = animal.tag_id)`, tenant, herdID)
	return out, err
}

// WearerAt implements iot.Registry.
func (s *Store) WearerAt(ctx context.Context, tenant, tag string, at time.Time) (string, error) {
	var id string
	err := s.db.QueryRow(ctx, `select animal_id from wearing where tenant = $1 and tag_id = $2 and since <= $3 and (until is null or until > $3)
		order by since desc limit 1`, tenant, tag, store.Millis(at)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", iot.ErrAnimalNotFound
	}
	return id, err
}

// insert adds rows to a table, many in one statement.
func insert(ctx context.Context, tx store.Queryer, into string, rows [][]any) error {
	return chunks(rows, func(part [][]any) error {
		var b strings.Builder
		args := make([]any, 0, len(part)*len(part[0]))
		for i, row := range part {
			b.WriteString(map[bool]string{true: " values (", false: ", ("}[i == 0])
			for j, v := range row {
				if j > 0 {
					b.WriteString(", ")
				}
				args = append(args, v)
				fmt.Fprintf(&b, "$%d", len(args))
			}
			b.WriteByte(')')
		}
		if _, err := tx.Exec(ctx, `insert into `+into+b.String(), args...); err != nil {
			return fmt.Errorf("store: %s: %w", into[:strings.IndexByte(into, ' ')], err)
		}
		return nil
	})
}

// chunks hands over all in parts that fit into one statement.
func chunks[T any](all []T, f func(part []T) error) error {
	for part := range slices.Chunk(all, chunk) {
		if err := f(part); err != nil {
			return err
		}
	}
	return nil
}

// null is s as stored in a column where nothing is NULL.
func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
