package register_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
)

// BenchmarkLoad reads 100,000 fields in CGCS2000, each of five corners with name,
// holder and claimed area, from every format.
func BenchmarkLoad(b *testing.B) {
	const n = 100_000
	scene.RegisterDrivers()
	dir := b.TempDir()
	table := filepath.Join(dir, "dk.csv")
	f, err := os.Create(table)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	_, _ = fmt.Fprintln(w, "DKMC,CBFMC,CBFBM,HTMJM,WKT")
	for i := range n {
		x, y := 38400000+float64(i%400)*210, 3800000+float64(i/400)*130
		_, _ = fmt.Fprintf(w, "东村%d号地,张三%d,4101220%d,%.1f,\"POLYGON((%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f))\"\n",
			i, i%7000, i%7000, 36.5, x, y, x+203.5, y+1.25, x+204, y+120, x+2.5, y+121, x, y)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	files := map[string]string{"CSV": table}
	src, err := godal.Open(table, godal.VectorOnly())
	if err != nil {
		b.Fatal(err)
	}
	for name, to := range map[string][]string{
		"Shapefile":  {"dk.shp", "-f", "ESRI Shapefile", "-a_srs", "EPSG:4526", "-lco", "ENCODING=GBK"},
		"GeoPackage": {"dk.gpkg", "-f", "GPKG", "-a_srs", "EPSG:4526"},
		"GeoJSON":    {"dk.geojson", "-f", "GeoJSON", "-s_srs", "EPSG:4526", "-t_srs", "EPSG:4326"},
		"KML":        {"dk.kml", "-f", "KML", "-s_srs", "EPSG:4526", "-t_srs", "EPSG:4326"},
	} {
		files[name] = filepath.Join(dir, to[0])
		out, err := src.VectorTranslate(files[name], to[1:])
		if err != nil {
			b.Fatal(err)
		}
		if err := out.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := src.Close(); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"Shapefile", "GeoPackage", "GeoJSON", "KML", "CSV"} {
		b.Run(name, func(b *testing.B) {
			crs := map[string]string{"CSV": "EPSG:4526"}[name]
			for b.Loop() {
				res, err := register.LoadFile(files[name], register.Options{CRS: crs})
				if err != nil || len(res.Plots) != n || name != "KML" && (res.Plots[9].OwnerName != "张三9" || res.Plots[9].ClaimedM2 == 0) {
					b.Fatalf("%d plots, %d refused, %v", len(res.Plots), len(res.Refusals), err)
				}
			}
		})
	}
}
