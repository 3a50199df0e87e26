package model

import (
	"context"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// The methods. A method is one or several members whose answers are pooled.
const (
	Ensemble = "ensemble" // the default: svm and forest together
	Forest   = "forest"
	SVM      = "svm"
	Rocket   = "rocket"
	Rules    = "rules" // the calendar and the curve; needs no samples
)

// Methods lists the methods that can be trained, the default first.
func Methods() []string { return []string{Ensemble, SVM, Forest, Rocket} }

// ErrMethod is what a misspelt method gets.
var ErrMethod = fault.New(fault.Invalid, "model.method", "there is no method {method}; take one of {methods}")

var membersOf = map[string][]string{
	Ensemble: {SVM, Forest},
	Forest:   {Forest},
	SVM:      {SVM},
	Rocket:   {Rocket},
}

// versions change when a member would answer otherwise for the same samples.
var versions = map[string]int{Forest: 1, SVM: 1, Rocket: 1}

// member is a trained method: it writes the probability of every class into p. It
// is safe for concurrent use.
type member interface {
	predict(s season, p []float64)
}

// trainMember trains one method on the features of samples with classes y.
func trainMember(ctx context.Context, name string, t *training) (member, error) {
	switch name {
	case Forest:
		f, err := learn.TrainForest(ctx, t.rich, t.y, t.classes, learn.ForestConfig{Seed: t.seed})
		return (*forest)(f), err
	case Rocket:
		r, err := learn.TrainRocket(ctx, t.plain, len(t.frame.Bands), t.y, t.classes, t.seed)
		return (*rocket)(r), err
	default:
		k, err := learn.TrainKernel(ctx, []learn.Sight{
			{Distance: learn.Whitened, Rows: t.plain},
			{Distance: learn.Manhattan, Rows: t.rich},
		}, t.y, t.classes, t.seed)
		return (*svm)(k), err
	}
}

type (
	forest learn.Forest
	svm    learn.Kernel
	rocket learn.Rocket
)

func (f *forest) predict(s season, p []float64) { (*learn.Forest)(f).Predict(s.rich, p) }

func (k *svm) predict(s season, p []float64) {
	(*learn.Kernel)(k).Predict([][]float64{s.plain, s.rich}, p)
}

func (r *rocket) predict(s season, p []float64) { (*learn.Rocket)(r).Predict(s.plain, p) }

// training is what members learn from.
type training struct {
	frame       Frame
	plain, rich *learn.Matrix
	y           []int
	classes     int
	seed        uint64
}

// machine is a frame with its trained members.
type machine struct {
	frame   Frame
	labels  []string
	names   []string // of the members
	members []member
}

// train fits a machine to the labelled samples of a set that have any value.
func train(ctx context.Context, set *sample.Set, labels []string, method string, seed uint64) (*machine, error) {
	names, ok := membersOf[method]
	if !ok {
		return nil, ErrMethod.With("method", method).With("methods", strings.Join(Methods(), ", "))
	}
	var keep []int
	for i := range set.Samples {
		if s := &set.Samples[i]; s.Label != "" && !s.Blank() {
			keep = append(keep, i)
		}
	}
	set = set.Subset(keep)
	t := &training{frame: fitFrame(set), classes: len(labels), seed: seed}
	for i := range set.Samples {
		k, _ := slices.BinarySearch(labels, set.Samples[i].Label)
		t.y = append(t.y, k)
	}
	t.plain, t.rich = t.frame.matrices(set)
	m := &machine{frame: t.frame, labels: labels, names: names}
	for _, n := range names {
		k, err := trainMember(ctx, n, t)
		if err != nil {
			return nil, err
		}
		m.members = append(m.members, k)
	}
	return m, nil
}

// answers gives the probabilities of every member; none when the series is blank.
func (m *machine) answers(s *sample.Sample, columns []int) (answers [][]float64, seen float64) {
	f, seen := m.frame.season(s, columns)
	if f.plain == nil {
		return nil, 0
	}
	for _, k := range m.members {
		p := make([]float64, len(m.labels))
		k.predict(f, p)
		answers = append(answers, p)
	}
	return answers, seen
}
