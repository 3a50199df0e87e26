package geobench

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// What exactextract 0.3.1 took for mean and count, in seconds of user time on a
// machine of the same kind, start and reading included: 582 parcels, 11,605 parcels,
// and those on 24 bands.
const (
	peer582  = 582 / 0.23
	peerMany = 11605 / 2.2
	peer24   = 11605 * 24 / 9.4
)

// childZonal measures the parcels of args[1] on the rasters that follow and writes
// id, mean and count of each to args[0]: what `furrow zonal` does, start included.
func childZonal(ctx context.Context, args []string) (err error) {
	file, err := register.Open(args[1])
	if err != nil {
		return err
	}
	shapes := make([]orb.MultiPolygon, len(file.Features))
	for i, f := range file.Features {
		shapes[i] = f.Shape
	}
	got, err := zonal.Measure(ctx, args[2:], zonal.Shapes{CRS: file.CRS, Shapes: shapes, MeanOnly: true})
	if err != nil {
		return err
	}
	out, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := csv.NewWriter(out)
	row := make([]string, 1+2*len(got))
	for i, f := range file.Features {
		row = append(row[:0], f.Fields["id"])
		for _, r := range got {
			s := r.Stats[0][i]
			row = append(row, strconv.FormatFloat(s.Mean, 'g', -1, 64), strconv.FormatFloat(s.Count, 'g', -1, 64))
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// childVector reads a vector file and no more.
func childVector(_ context.Context, args []string) error {
	_, err := register.Open(args[0])
	return err
}

// childDecode decodes all blocks of rasters with GDAL and no more.
func childDecode(_ context.Context, args []string) error {
	for _, path := range args {
		if err := decodeAll(path); err != nil {
			return err
		}
	}
	return nil
}

func decodeAll(path string) (err error) {
	ds, err := scene.OpenDataset(path, godal.RasterOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ds.Close()) }()
	const rows = 256
	st := ds.Structure()
	buf := make([]float32, st.SizeX*rows)
	for y := 0; y < st.SizeY; y += rows {
		if err := ds.Bands()[0].Read(0, y, buf, st.SizeX, min(rows, st.SizeY-y), godal.ErrLogger(scene.Failures)); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkZonal(b *testing.B) {
	dir := realdata.Dir(b, "geo", "zonal")
	raster, few := filepath.Join(dir, "ndvi_1.tif"), filepath.Join(dir, "parcels_utm.gpkg")
	many := filepath.Join(b.TempDir(), "many.gpkg")
	n := copies(b, few, many, 20)
	rasters := make([]string, 24)
	for i := range rasters { // files of their own to GDAL, so that none is cached
		rasters[i] = filepath.Join(b.TempDir(), fmt.Sprintf("ndvi_%d.tif", i+1))
		if err := os.Symlink(raster, rasters[i]); err != nil {
			b.Fatal(err)
		}
	}
	want := readTable(b, filepath.Join(dir, "exactextract_ref_582.csv"))

	for _, c := range []struct {
		what    string
		plots   string
		parcels int
		rasters []string
		unit    string
		peer    float64
		least   float64
	}{
		{"zonal mean+count, 582 parcels", few, 582, []string{raster}, "parcels", peer582, 0}, // most of it start and decoding
		{fmt.Sprintf("zonal mean+count, %d parcels", n), many, n, []string{raster}, "parcels", peerMany, 5},
		{fmt.Sprintf("zonal mean+count, %d parcels x 24", n), many, n, rasters, "parcel-bands", peer24, 5},
	} {
		out := filepath.Join(b.TempDir(), "out.csv")
		us := best(3,
			func() usage { return child(b, "zonal", append([]string{out, c.plots}, c.rasters...)...) },
			func() usage { return child(b, "vector", c.plots) },
			func() usage { return child(b, "decode", c.rasters...) },
		)
		got := readTable(b, out)
		if len(got) != c.parcels {
			b.Fatalf("%d parcels of %d", len(got), c.parcels)
		}
		diff := worst(b, got, want)
		if diff > 1e-6 {
			b.Errorf("%s: off the reference by %.1e", c.what, diff)
		}
		work := float64(c.parcels * len(c.rasters))
		ours := work / us[0].CPU.Seconds()
		published := work / us[0].User.Seconds() // as the peer was timed
		limit := us[1].CPU + us[2].CPU
		report(b, line{
			What: c.what, Unit: c.unit, Ours: published, Peer: "exactextract (published)", Theirs: c.peer, Least: c.least,
			Note: fmt.Sprintf("%.2f s on %.1f cores, %d MiB, off the reference by %.1e", us[0].CPU.Seconds(), us[0].cores(), us[0].Peak>>20, diff),
		})
		report(b, line{
			What: c.what, Unit: c.unit, Ours: ours, Peer: "reading both files only, by GDAL", Theirs: work / limit.Seconds(),
			Note: fmt.Sprintf("vector %.2f s, blocks %.2f s", us[1].CPU.Seconds(), us[2].CPU.Seconds()),
		})
		if bin, ok := installed(b, "exactextract"); ok {
			u := runExactextract(b, bin, c.plots, c.rasters)
			report(b, line{What: c.what, Unit: c.unit, Ours: ours, Peer: "exactextract", Theirs: work / u.CPU.Seconds(), Least: c.least})
		}
		if bin, ok := installed(b, "Rscript"); ok && c.plots == few {
			u := command(b, exec.CommandContext(b.Context(), bin, "-e", fmt.Sprintf(
				`library(terra); e <- extract(rast(%q), vect(%q), fun=mean, exact=TRUE, na.rm=TRUE); write.table(e[,2], quote=FALSE, row.names=FALSE, col.names=FALSE, sep=",")`, raster, few)))
			report(b, line{
				What: c.what, Unit: c.unit, Ours: ours, Peer: "terra, exact=TRUE", Theirs: work / u.CPU.Seconds(),
				Note: fmt.Sprintf("means differ by %.1e", meansDiffer(b, u.Out, got)),
			})
		}
	}
}

// copies writes every parcel of a file n times: once in place, then moved by up to
// 300 m, the same at every run.
func copies(b *testing.B, from, to string, n int) int {
	b.Helper()
	file, err := register.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	ds, err := godal.CreateVector(godal.GeoPackage, to)
	if err != nil {
		b.Fatal(err)
	}
	sr, err := godal.NewSpatialRef(file.CRS)
	if err != nil {
		b.Fatal(err)
	}
	defer sr.Close()
	layer, err := ds.CreateLayer("parcels", sr, godal.GTMultiPolygon, godal.NewFieldDefinition("id", godal.FTString))
	if err != nil {
		b.Fatal(err)
	}
	if err := ds.StartTransaction(); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for k := range n {
		for _, f := range file.Features {
			shape, id := f.Shape.Clone(), f.Fields["id"]
			if k > 0 {
				dx, dy := 600*rng.Float64()-300, 600*rng.Float64()-300
				for _, poly := range shape {
					for _, ring := range poly {
						for i := range ring {
							ring[i] = orb.Point{ring[i][0] + dx, ring[i][1] + dy}
						}
					}
				}
				id = fmt.Sprintf("%s-%d", id, k)
			}
			body, err := wkb.Marshal(shape)
			if err != nil {
				b.Fatal(err)
			}
			geom, err := godal.NewGeometryFromWKB(body, sr)
			if err != nil {
				b.Fatal(err)
			}
			ft, err := layer.NewFeature(geom)
			if err != nil {
				b.Fatal(err)
			}
			if err := ft.SetFieldValue(ft.Fields()["id"], id); err != nil {
				b.Fatal(err)
			}
			if err := layer.UpdateFeature(ft); err != nil {
				b.Fatal(err)
			}
			ft.Close()
			geom.Close()
		}
	}
	if err := ds.CommitTransaction(); err != nil {
		b.Fatal(err)
	}
	if err := ds.Close(); err != nil {
		b.Fatal(err)
	}
	return n * len(file.Features)
}

// readTable reads id, mean and count, whether or not the file has a header.
func readTable(b *testing.B, path string) map[string][2]float64 {
	b.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	out := map[string][2]float64{}
	for _, r := range rows {
		mean, err := strconv.ParseFloat(r[1], 64)
		if err != nil {
			continue // the header
		}
		count, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			b.Fatal(err)
		}
		out[r[0]] = [2]float64{mean, count}
	}
	return out
}

// worst is the greatest difference from the reference, counts relative.
func worst(b *testing.B, got, want map[string][2]float64) float64 {
	b.Helper()
	var out float64
	for id, w := range want {
		g, ok := got[id]
		if !ok {
			b.Fatalf("parcel %s is missing", id)
		}
		out = max(out, math.Abs(g[0]-w[0]), math.Abs(g[1]-w[1])/w[1])
	}
	return out
}

// meansDiffer compares a column of means, in the order of the parcels, with ours.
func meansDiffer(b *testing.B, column []byte, got map[string][2]float64) float64 {
	b.Helper()
	var out float64
	for i, f := range bytes.Fields(column) {
		v, err := strconv.ParseFloat(string(f), 64)
		if err != nil {
			b.Fatal(err)
		}
		out = max(out, math.Abs(v-got[strconv.Itoa(i+1)][0]))
	}
	return out
}

// runExactextract runs the peer itself. It appends to an output that exists, so each
// run has its own.
func runExactextract(b *testing.B, bin, plots string, rasters []string) usage {
	b.Helper()
	return best(3, func() usage {
		args := []string{"-p", plots, "-f", "id", "-o", filepath.Join(b.TempDir(), "peer.csv")}
		for i, r := range rasters {
			args = append(args, "-r", fmt.Sprintf("v%d:%s", i, r), "-s", fmt.Sprintf("mean(v%d)", i), "-s", fmt.Sprintf("count(v%d)", i))
		}
		return command(b, exec.CommandContext(b.Context(), bin, args...))
	})[0]
}
