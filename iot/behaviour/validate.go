package behaviour

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// The classes that figures are about. Published figures are about three.
var (
	Three = []Class{Resting, Walking, Grazing}
	Four  = []Class{Resting, Walking, Grazing, Standing}
)

// Confusion counts seconds: Seconds[i][j] of class Classes[i] were judged
// Classes[j]; the last column is of windows left unanswered.
type Confusion struct {
	Classes []Class
	Seconds [][]float64
}

// confuse counts answers whose class is among the given ones. Among three, standing
// is an answer too, and means rest: neither goes anywhere. Those less sure than
// least are unanswered.
func confuse(answers []answer, among []Class, least float64) *Confusion {
	c := &Confusion{among, make([][]float64, len(among))}
	for i := range c.Seconds {
		c.Seconds[i] = make([]float64, len(among)+1)
	}
	p := make([]float64, len(among))
	for _, a := range answers {
		row := slices.Index(among, a.class)
		if row < 0 {
			continue
		}
		for i, k := range among {
			p[i] = a.p[k]
		}
		if len(among) == len(Three) {
			p[Resting] += a.p[Standing]
		}
		col := top(p)
		if p[col] < least {
			col = len(among)
		}
		c.Seconds[row][col] += a.seconds
	}
	return c
}

func (c *Confusion) add(o *Confusion) {
	for i, row := range o.Seconds {
		for j, v := range row {
			c.Seconds[i][j] += v
		}
	}
}

// ClassScore is how well one class is told, by seconds.
type ClassScore struct {
	Class     string  `json:"class"`
	Seconds   float64 `json:"seconds"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Scores of each class. Unanswered seconds count neither for nor against.
func (c *Confusion) Scores() []ClassScore {
	out := make([]ClassScore, len(c.Classes))
	for i, k := range c.Classes {
		right, said, is := c.Seconds[i][i], 0.0, 0.0
		for j := range c.Classes {
			said += c.Seconds[j][i]
			is += c.Seconds[i][j]
		}
		out[i] = ClassScore{Class: k.String(), Seconds: math.Round(10*is) / 10, Precision: share(right, said), Recall: share(right, is), F1: share(2*right, said+is)}
	}
	return out
}

func share(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// MacroF1 is the mean F1 over the classes.
func (c *Confusion) MacroF1() float64 {
	sum := 0.0
	for _, s := range c.Scores() {
		sum += s.F1
	}
	return sum / float64(len(c.Classes))
}

// Accuracy is the share of answered seconds that are right.
func (c *Confusion) Accuracy() float64 {
	var right, all float64
	for i, row := range c.Seconds {
		right += row[i]
		for j := range c.Classes {
			all += row[j]
		}
	}
	return share(right, all)
}

// answered is the share of seconds with an answer.
func (c *Confusion) answered() float64 {
	var no, all float64
	for _, row := range c.Seconds {
		for _, v := range row {
			all += v
		}
		no += row[len(row)-1]
	}
	return share(all-no, all)
}

// Score is a confusion with what follows from it.
type Score struct {
	MacroF1   float64      `json:"macro_f1"`
	Low       float64      `json:"macro_f1_low"` // 95 % interval over animals drawn again
	High      float64      `json:"macro_f1_high"`
	Accuracy  float64      `json:"accuracy"`
	Answered  float64      `json:"answered"` // share of the seconds
	Classes   []ClassScore `json:"classes"`
	Confusion [][]float64  `json:"confusion_s"` // seconds; rows are the truth, the last column unanswered
}

// Fold is one animal that a model of the others judged.
type Fold struct {
	Group     string  `json:"group"`
	Seconds   float64 `json:"seconds"`
	Accuracy  float64 `json:"accuracy"`
	Config    Config  `json:"config"` // chosen on the other animals
	Threshold float64 `json:"threshold"`
}

// Validation is what animals left out one at a time show.
type Validation struct {
	Three    Score              `json:"three"`    // resting, walking, grazing; every window answered
	Sure     Score              `json:"sure"`     // the same with doubtful windows unanswered
	Four     Score              `json:"four"`     // with standing
	Folds    []Fold             `json:"folds"`    // one an animal
	LeftOut  map[string]float64 `json:"left_out"` // seconds by label: of no class, or shorter than 3 s
	Chewing  map[string]float64 `json:"chewing"`  // share of the seconds of each label that the rule calls ruminating
	Features []string           `json:"features"`
	Seed     uint64             `json:"seed"` // of the bootstrap
}

// resamples of the bootstrap.
const resamples = 2000

// Validate judges each animal by a model of the others. Window length, ridge,
// threshold and the labels that are not believed are chosen on the others alone, by
// leaving out one of them at a time. ErrLearn when classes or animals are missing.
func Validate(ctx context.Context, segments []Segment, grid []Config, seed uint64) (*Validation, error) {
	byLength, groups, err := prepare(segments, grid)
	if err != nil {
		return nil, err
	}
	v := &Validation{LeftOut: leftOut(segments), Chewing: chewing(segments), Features: features[:], Seed: seed}
	var three, sure, four []*Confusion
	for _, g := range groups {
		others := slices.DeleteFunc(slices.Clone(groups), func(o string) bool { return o == g })
		c, err := choose(ctx, byLength, others, grid)
		if err != nil {
			return nil, err
		}
		var answers []answer
		var x [Features]float64
		seconds := 0.0
		ws := byLength[c.Window]
		for i := range ws {
			if w := &ws[i]; w.group == g {
				a := answer{window: w}
				c.weights.score(&w.f, &x, &a.p)
				answers = append(answers, a)
				seconds += w.seconds
			}
		}
		three = append(three, confuse(answers, Three, 0))
		sure = append(sure, confuse(answers, Three, c.threshold))
		four = append(four, confuse(answers, Four, 0))
		v.Folds = append(v.Folds, Fold{g, math.Round(10*seconds) / 10, three[len(three)-1].Accuracy(), c.Config, c.threshold})
	}
	v.Three, v.Sure, v.Four = pool(three, seed), pool(sure, seed), pool(four, seed)
	return v, nil
}

// pool adds up the animals; its interval is the percentile bootstrap over animals
// (Efron and Tibshirani, 1993, An Introduction to the Bootstrap, chapter 13), with
// draws in which a class is missing drawn again.
func pool(each []*Confusion, seed uint64) Score {
	sum := func(pick func(i int) int) *Confusion {
		c := confuse(nil, each[0].Classes, 0)
		for i := range each {
			c.add(each[pick(i)])
		}
		return c
	}
	all := sum(func(i int) int { return i })
	s := Score{MacroF1: all.MacroF1(), Accuracy: all.Accuracy(), Answered: all.answered(), Classes: all.Scores(), Confusion: all.Seconds}
	for _, row := range s.Confusion {
		for j, v := range row {
			row[j] = math.Round(10*v) / 10
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	var drawn []float64
	for try := 0; len(drawn) < resamples && try < 10*resamples; try++ {
		c := sum(func(int) int { return rng.IntN(len(each)) })
		if !slices.ContainsFunc(c.Scores(), func(k ClassScore) bool { return k.Seconds == 0 }) {
			drawn = append(drawn, c.MacroF1())
		}
	}
	if len(drawn) > 0 {
		slices.Sort(drawn)
		s.Low, s.High = quantile(drawn, 0.025), quantile(drawn, 0.975)
	}
	return s
}

// leftOut counts the seconds that are neither learnt from nor measured.
func leftOut(segments []Segment) map[string]float64 {
	out := map[string]float64{}
	for i := range segments {
		s := &segments[i]
		if _, ok := ClassOf(s.Label); !ok || s.Seconds() < shortest/Rate {
			out[s.Label] += s.Seconds()
		}
	}
	for label, v := range out {
		out[label] = math.Round(10*v) / 10
	}
	return out
}

// chewing is the share of each label's windows that the rule for rumination names.
func chewing(segments []Segment) map[string]float64 {
	yes, all := map[string]float64{}, map[string]float64{}
	var sc scratch
	for i := range segments {
		x := resample(segments[i].XYZ, segments[i].Hz)
		bounds := cut(len(x), int(10*Rate))
		for k := 1; k < len(bounds); k++ {
			w := x[bounds[k-1]:bounds[k]]
			f := sc.extract(w)
			all[segments[i].Label] += float64(len(w))
			if chews(&f) {
				yes[segments[i].Label] += float64(len(w))
			}
		}
	}
	for label, n := range all {
		all[label] = yes[label] / n
	}
	return all
}
