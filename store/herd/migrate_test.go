package herd_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

// Herds that were registered before lives were kept have one: that they were registered.
func TestHerdsOfBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ driver, dsn, blob string }{
		"sqlite":   {"sqlite", "sqlite:" + filepath.Join(t.TempDir(), "old.db"), "blob"},
		"postgres": {"pgx", "", "bytea"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.dsn == "" {
				c.dsn = storetest.Postgres(t)
			}
			raw, err := sql.Open(c.driver, strings.TrimPrefix(c.dsn, "sqlite:"))
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob("../migrations/000[1-7]*.sql")
			if err != nil || len(files) != 7 {
				t.Fatal(files, err)
			}
			text := "create table schema_version (name text primary key, applied_at bigint not null);\n"
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				text += strings.ReplaceAll(string(b), "{{blob}}", c.blob) + "\ninsert into schema_version (name, applied_at) values ('migrations/" + filepath.Base(f) + "', 0);\n"
			}
			text += `insert into herd (tenant, id, owner_id, owner_name, name, species, fence, created_at) values ('a', 'h', 'u', 'n', 'old', 'cattle', '[]', 1000);
				insert into animal (tenant, id, herd_id, scheme, code, species, sex, tag_id) values ('a', 'c1', 'h', 'cn-67', '215252600000001', 'cattle', 'f', 't1');
				insert into animal (tenant, id, herd_id, scheme, code, species, sex) values ('a', 'c2', 'h', 'cn-67', '215252600000002', 'cattle', 'm');
				insert into device (tenant, id, kind, herd_id, secret_hash, revoked, created_at) values ('a', 't1', 'tag', 'h', 'x', false, 1000);`
			if _, err := raw.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			ctx, s := context.Background(), herd.New(storetest.Open(t, c.dsn))
			for id, tags := range map[string]int{"c1": 1, "c2": 0} {
				l, err := s.Life(ctx, "a", id)
				if err != nil || len(l.Events) != 1 || len(l.Identifiers) != 1 || len(l.Tags) != tags || l.Animal.HerdID != "h" {
					t.Errorf("%+v %v", l, err)
				}
				if a, err := s.Animal(ctx, "a", id); err != nil || a != l.Animal {
					t.Errorf("%+v %v, by its events %+v", a, err, l.Animal)
				}
			}
			if got, err := s.WearerAt(ctx, "a", "t1", store.Time(2000)); err != nil || got != "c1" {
				t.Error(got, err)
			}
			if d, err := s.DeviceBySecret(ctx, "x"); err != nil || d.HerdID != "h" || d.Kind != iot.TagDevice {
				t.Errorf("%+v %v", d, err)
			}
			// The old code and the worn tag are taken.
			for _, a := range []iot.Animal{animal("h2", "215252600000001", ""), animal("h2", "215252600000009", "t1")} {
				if err := s.AddHerd(ctx, iot.Herd{ID: "h2", Tenant: "a", Name: "new", Fence: square(), CreatedAt: now}, []iot.Animal{a}, nil); err == nil {
					t.Errorf("%+v was registered again", a)
				}
			}
		})
	}
}

// BenchmarkAddHerd registers the largest herd that is taken, in one transaction.
func BenchmarkAddHerd(b *testing.B) {
	s := herd.New(storetest.Open(b, "sqlite:"+filepath.Join(b.TempDir(), "furrow.db")))
	for b.Loop() {
		h := iot.Herd{ID: "h", Tenant: ident.New(), Name: "big", Fence: square(), CreatedAt: now}
		animals, devices := make([]iot.Animal, iot.MaxHerd), make([]iot.Device, iot.MaxHerd)
		for i := range animals {
			animals[i] = animal("h", cn(i+1).Code, "t"+cn(i+1).Code)
			devices[i] = iot.Device{ID: animals[i].TagID, Tenant: h.Tenant, Kind: iot.TagDevice, HerdID: "h", SecretHash: "s", CreatedAt: now}
		}
		if err := s.AddHerd(b.Context(), h, animals, devices); err != nil {
			b.Fatal(err)
		}
	}
}
