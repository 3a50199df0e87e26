// Package flood maps open water pixel by pixel from one radar and one optical
// image of the same day, with thresholds that it finds in the images themselves.
//
// Every band or index that tells water from land is one voter. Its threshold is
// the one of Otsu (1979) in a band along the rim of the water that it shows, found
// again until it stays: along its rim water and land are about equal in number,
// which the method needs and a whole scene seldom offers (Donchyts and others
// 2016, doi 10.3390/rs8050386; for radar Markert and others 2020, doi
// 10.3390/rs12152469). The voters' distances from their thresholds, in standard
// deviations of that band, are added with equal weight; a pixel without light is
// judged by radar alone, and the other way round. Nothing is trained.
//
// What was water before is no flood: give an image from before, or a mask of
// permanent water. The water of a paddy is told apart by plot and calendar, see
// package hazard.
package flood

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// What can be wrong with the images.
var (
	ErrNoImage  = fault.New(fault.Invalid, "flood.no_image", "give an image of the flood: from Sentinel-1 in dB, from Sentinel-2, or both")
	ErrGrids    = fault.New(fault.Invalid, "flood.grids", "it does not lie on the same pixels as {other}; bring both to one grid first, for instance with gdalwarp")
	ErrBands    = fault.New(fault.Invalid, "flood.bands", "it has no band {band}; name the bands (VV, VH; B2, B3, B4, B8, B11, B12) or give all 12 or 13 of Sentinel-2 in their order")
	ErrDecibels = fault.New(fault.Invalid, "flood.decibels", "its backscatter is not in dB: no pixel is below zero; convert it with 10·log10")
	ErrEmpty    = fault.New(fault.Invalid, "flood.empty", "the images hold no data that could be judged")
	ErrTruth    = fault.New(fault.Invalid, "flood.truth", "it labels no pixel: 1 is water, 0 is dry, anything else is unknown")
	ErrOutput   = fault.New(fault.Invalid, "flood.output", "the mask cannot be written: {why}")
)

// The values of a mask.
const (
	Dry    = 0
	Water  = 1
	NoData = 255
)

// Method names the algorithm and its version.
const Method = "edge-otsu/1"

const (
	blockSize = 512 // pixels
	maxVote   = 2.0 // no voter outvotes two others
	// The thresholds of a large scene come from as many blocks: those with most rim.
	sampleBlocks = 24
)

// Config names the images. All lie on one grid.
type Config struct {
	S1        string // Sentinel-1 VV and VH in dB; "" for none
	S2        string // Sentinel-2 L1C or L2A; "" for none
	S1Before  string // the same radar orbit before the flood; "" for none
	Permanent string // water of every year where not 0; "" for none
	Clouds    string // hidden from Sentinel-2 where not 0; "" for none
	Truth     string // 1 water, 0 dry, anything else unknown; "" for none
	Out       string // GeoTIFF to write; "" for none
}

// Result tells what was found and how.
type Result struct {
	Method     string               `json:"method"`
	Width      int                  `json:"width"`
	Height     int                  `json:"height"`
	Thresholds map[string]Threshold `json:"thresholds"`
	Water      int64                `json:"water_pixels"`
	Dry        int64                `json:"dry_pixels"`
	NoData     int64                `json:"no_data_pixels"`
	Fused      int64                `json:"fused_pixels"`      // judged by radar and light
	RadarOnly  int64                `json:"radar_only_pixels"` // under cloud or without optical data
	LightOnly  int64                `json:"light_only_pixels"`
	Permanent  int64                `json:"permanent_pixels"` // water now as before, counted as dry
	WaterShare float64              `json:"water_share"`      // of the judged pixels
	*Score
}

// Score compares the mask with a truth. Where the truth is known and the mask has
// no data, the mask counts as dry.
type Score struct {
	IoU       float64 `json:"iou"` // hit water over water in either
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	Judged    int64   `json:"judged_pixels"` // that the truth knows
	Hit       int64   `json:"true_positives"`
	False     int64   `json:"false_positives"`
	Missed    int64   `json:"false_negatives"`
}

// Map judges every pixel and writes the mask. Files that cannot be used are
// refused by name, and then nothing is written.
func Map(ctx context.Context, cfg Config) (Result, error) {
	in, err := open(cfg)
	if err != nil {
		return Result{}, err
	}
	defer in.close()
	res := Result{Method: Method, Width: in.grid.Width, Height: in.grid.Height}
	m := mapper{cfg: cfg, blocks: blocksOf(in.grid), voters: in.voters()}
	if err := m.learn(ctx); err != nil {
		return Result{}, err
	}
	res.Thresholds = map[string]Threshold{}
	for i, v := range m.voters {
		res.Thresholds[v.name] = m.found[i]
	}
	out, err := create(cfg, in.grid)
	if err != nil {
		return Result{}, err
	}
	defer out.discard()
	if cfg.Truth != "" {
		res.Score = &Score{}
	}
	if err := m.classify(ctx, out, &res); err != nil {
		return Result{}, err
	}
	if judged := res.Water + res.Dry; judged > 0 {
		res.WaterShare = float64(res.Water) / float64(judged)
	}
	if s := res.Score; s != nil {
		if s.Judged == 0 {
			return Result{}, ErrTruth.At("%s", cfg.Truth)
		}
		s.IoU, s.Precision, s.Recall = ratio(s.Hit, s.Hit+s.False+s.Missed), ratio(s.Hit, s.Hit+s.False), ratio(s.Hit, s.Hit+s.Missed)
	}
	return res, out.finish()
}

// ratio of nothing to nothing is 1: no water was there and none was found.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

func blocksOf(g scene.Grid) []scene.Window {
	var out []scene.Window
	for y := 0; y < g.Height; y += blockSize {
		for x := 0; x < g.Width; x += blockSize {
			out = append(out, scene.Window{X: x, Y: y, W: min(blockSize, g.Width-x), H: min(blockSize, g.Height-y)})
		}
	}
	return out
}

// mapper carries the work on one set of images.
type mapper struct {
	cfg    Config
	blocks []scene.Window
	voters []voter
	found  []Threshold // of each voter
}

// each reads blocks on all cores, each worker with files of its own, and gives
// what work returns to take in the order of the blocks.
func (m *mapper) each(ctx context.Context, blocks []scene.Window, work func(*inputs, scene.Window) (any, error), take func(int, any) error) error {
	workers := min(runtime.GOMAXPROCS(0), len(blocks))
	files := make([]*inputs, workers)
	for k := range files {
		in, err := open(m.cfg)
		if err != nil {
			return err
		}
		defer in.close()
		files[k] = in
	}
	got := make([]any, workers)
	for at := 0; at < len(blocks); at += workers {
		g, ctx := errgroup.WithContext(ctx)
		for k := 0; k < workers && at+k < len(blocks); k++ {
			g.Go(func() (err error) {
				if err = ctx.Err(); err == nil {
					got[k], err = work(files[k], blocks[at+k])
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for k := 0; k < workers && at+k < len(blocks); k++ {
			if err := take(at+k, got[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// learn finds the threshold of every voter.
func (m *mapper) learn(ctx context.Context) error {
	type survey struct {
		rim      int  // pixels beside the rim of water, over all voters
		data     bool // any voter sees anything
		negative bool // radar in dB has values below zero
		radar    bool
		planes   [][]float32
	}
	few := len(m.blocks) <= sampleBlocks
	looks := make([]survey, len(m.blocks))
	var data, radar, negative bool
	err := m.each(ctx, m.blocks, func(in *inputs, w scene.Window) (any, error) {
		b, err := in.read(w)
		if err != nil {
			return nil, err
		}
		s := survey{planes: b.planes(m.voters), radar: b.radar, negative: b.negative}
		for i, v := range m.voters {
			s.data = s.data || slices.ContainsFunc(s.planes[i], func(x float32) bool { return x == x })
			s.rim += countTrue(rim(s.planes[i], w.W, w.H, v.usual))
		}
		if !few {
			s.planes = nil
		}
		return s, nil
	}, func(i int, got any) error {
		looks[i] = got.(survey)
		data, radar, negative = data || looks[i].data, radar || looks[i].radar, negative || looks[i].negative
		return nil
	})
	switch {
	case err != nil:
		return err
	case radar && !negative:
		return ErrDecibels.At("%s", m.cfg.S1)
	case !data:
		return ErrEmpty.At("%s", cmp.Or(m.cfg.S1, m.cfg.S2))
	}
	chosen := make([]int, len(m.blocks))
	for i := range chosen {
		chosen[i] = i
	}
	if !few {
		slices.SortStableFunc(chosen, func(a, b int) int { return looks[b].rim - looks[a].rim })
		chosen = chosen[:sampleBlocks]
		slices.Sort(chosen)
		blocks := make([]scene.Window, len(chosen))
		for k, i := range chosen {
			blocks[k] = m.blocks[i]
		}
		err := m.each(ctx, blocks, func(in *inputs, w scene.Window) (any, error) {
			b, err := in.read(w)
			if err != nil {
				return nil, err
			}
			return b.planes(m.voters), nil
		}, func(k int, got any) error {
			looks[chosen[k]].planes = got.([][]float32)
			return nil
		})
		if err != nil {
			return err
		}
	}
	m.found = make([]Threshold, len(m.voters))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, v := range m.voters {
		g.Go(func() error {
			sample := make([]plane, len(chosen))
			for k, j := range chosen {
				sample[k] = plane{looks[j].planes[i], m.blocks[j].W, m.blocks[j].H}
			}
			m.found[i] = v.find(sample)
			return ctx.Err()
		})
	}
	return g.Wait()
}

// verdict is the mask of a block and what was counted on it.
type verdict struct {
	mask []byte
	res  Result
}

// classify votes on every block and hands the masks to out in order.
func (m *mapper) classify(ctx context.Context, out *output, res *Result) error {
	return m.each(ctx, m.blocks, func(in *inputs, w scene.Window) (any, error) {
		b, err := in.read(w)
		if err != nil {
			return nil, err
		}
		v := verdict{mask: make([]byte, w.W*w.H)}
		m.vote(b, &v)
		if res.Score != nil {
			truth, err := in.truth(w)
			if err != nil {
				return nil, err
			}
			v.res.Score = score(v.mask, truth)
		}
		return v, nil
	}, func(i int, got any) error {
		v := got.(verdict)
		res.Water += v.res.Water
		res.Dry += v.res.Dry
		res.NoData += v.res.NoData
		res.Fused += v.res.Fused
		res.RadarOnly += v.res.RadarOnly
		res.LightOnly += v.res.LightOnly
		res.Permanent += v.res.Permanent
		if s := res.Score; s != nil {
			s.Judged += v.res.Judged
			s.Hit += v.res.Hit
			s.False += v.res.False
			s.Missed += v.res.Missed
		}
		return out.write(m.blocks[i], v.mask)
	})
}

func (m *mapper) vote(b *block, out *verdict) {
	planes := b.planes(m.voters)
	var before []float32
	radarThreshold := Threshold{}
	for i, v := range m.voters {
		if v.name == radarVoter {
			before, radarThreshold = b.darkBefore, m.found[i]
		}
	}
	for p := range out.mask {
		var sum float64
		var radar, light bool
		for i, v := range m.voters {
			x := float64(planes[i][p])
			if math.IsNaN(x) {
				continue
			}
			sum += max(-maxVote, min(maxVote, (x-m.found[i].Value)/m.found[i].Spread))
			radar, light = radar || v.radar, light || !v.radar
		}
		switch {
		case radar && light:
			out.res.Fused++
		case radar:
			out.res.RadarOnly++
		case light:
			out.res.LightOnly++
		default:
			out.mask[p] = NoData
			out.res.NoData++
			continue
		}
		if sum <= 0 {
			out.res.Dry++
			continue
		}
		if b.permanent != nil && b.permanent[p] || before != nil && float64(before[p]) > radarThreshold.Value {
			out.res.Permanent++
			out.res.Dry++
			continue
		}
		out.mask[p] = Water
		out.res.Water++
	}
}

func score(mask []byte, truth []float32) *Score {
	s := &Score{}
	for p, t := range truth {
		if t != 0 && t != 1 {
			continue
		}
		s.Judged++
		switch wet := mask[p] == Water; {
		case wet && t == 1:
			s.Hit++
		case wet:
			s.False++
		case t == 1:
			s.Missed++
		}
	}
	return s
}
