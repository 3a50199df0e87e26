package scene_test

import (
	"context"
	"testing"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func TestIndexRealFolders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"worldcereal_cube", "eolearn"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, out := realdata.Dir(t, "geo", name), t.TempDir()
			res, err := scene.IndexWith(context.Background(), scene.IndexConfig{Dir: dir, Out: out})
			t.Logf("%+v", res)
			if err != nil {
				t.Fatal(err)
			}
			cat, err := scene.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range cat.Items() {
				t.Log(it.ID, it.Time, len(it.Bands), it.CloudShare, it.DataShare)
			}
		})
	}
}
