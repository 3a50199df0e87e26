package model

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// The methods. A method is one or several members whose answers are pooled.
const (
	Ensemble = "ensemble" // svm and whitened together
	SVM      = "svm"      // a kernel machine that sees a season in two ways
	Whitened = "whitened" // the same by the whitened distance of the values alone
	Forest   = "forest"   // extremely randomised trees
	Rocket   = "rocket"   // random convolutions with a linear head
	Rules    = "rules"    // the calendar and the curve; needs no samples
)

// Default is the method that did best where whole regions were left out, without
// losing by random folds.
const Default = Ensemble

// Blocks parts samples by the 1° square in which they lie.
const Blocks = "block:1deg"

const defaultFolds = 5

// Methods lists the methods that can be trained, the default first.
func Methods() []string { return []string{Ensemble, SVM, Whitened, Forest, Rocket} }

// ErrMethod is what a misspelt method gets.
var ErrMethod = fault.New(fault.Invalid, "model.method", "there is no method {method}; take one of {methods}")

var membersOf = map[string][]string{
	Ensemble: {SVM, Whitened},
	SVM:      {SVM},
	Whitened: {Whitened},
	Forest:   {Forest},
	Rocket:   {Rocket},
}

// versions change when a member would answer otherwise for the same samples.
var versions = map[string]int{SVM: 1, Whitened: 1, Forest: 1, Rocket: 1}

func version(name string) string { return name + "/" + strconv.Itoa(versions[name]) }

// checkMethod returns ErrMethod for a method that there is not.
func checkMethod(method string) error {
	if membersOf[method] == nil {
		return ErrMethod.With("method", method).With("methods", strings.Join(Methods(), ", "))
	}
	return nil
}

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
		return trainSVM(ctx, name, t)
	}
}

type (
	forest learn.Forest
	rocket learn.Rocket
)

func (f *forest) predict(s season, p []float64) { (*learn.Forest)(f).Predict(s.rich, p) }

// svm keeps the training rows as they were before a view changed them, for the file.
type svm struct {
	name        string
	kernel      *learn.Kernel
	plain, seen *learn.Matrix
	y           []int
}

// sightsOf are the distances of a kernel machine: the whitened one looks at the
// plain features, the other at the rich ones.
var sightsOf = map[string][]learn.Distance{
	SVM:      {learn.Whitened, learn.Manhattan},
	Whitened: {learn.Whitened},
}

func views(name string, plain, rich *learn.Matrix) []learn.Sight {
	var out []learn.Sight
	for _, d := range sightsOf[name] {
		rows := plain
		if d == learn.Manhattan {
			rows = rich
		}
		out = append(out, learn.Sight{Distance: d, Rows: rows})
	}
	return out
}

func trainSVM(ctx context.Context, name string, t *training) (*svm, error) {
	k, err := learn.TrainKernel(ctx, views(name, t.plain, t.rich), t.y, t.classes, t.seed)
	if err != nil {
		return nil, err
	}
	m := &svm{name: name, kernel: k, plain: t.plain, seen: t.seen, y: t.y}
	if k.Kept != nil {
		m.plain, m.seen, m.y = t.plain.Pick(k.Kept), t.seen.Pick(k.Kept), nil
		for _, i := range k.Kept {
			m.y = append(m.y, t.y[i])
		}
	}
	return m, nil
}

func (m *svm) predict(s season, p []float64) {
	m.kernel.Predict([][]float64{s.plain, s.rich}[:len(m.kernel.Views)], p)
}

func (r *rocket) predict(s season, p []float64) { (*learn.Rocket)(r).Predict(s.plain, p) }

// training is what members learn from.
type training struct {
	frame             Frame
	plain, seen, rich *learn.Matrix
	y                 []int
	classes           int
	seed              uint64
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
	t := newTraining(set, labels, seed)
	m := &machine{frame: t.frame, labels: labels, names: membersOf[method]}
	for _, n := range m.names {
		k, err := trainMember(ctx, n, t)
		if err != nil {
			return nil, err
		}
		m.members = append(m.members, k)
	}
	return m, nil
}

// newTraining makes features of the labelled samples that have any value.
func newTraining(set *sample.Set, labels []string, seed uint64) *training {
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
	t.plain, t.seen, t.rich = t.frame.matrices(set)
	return t
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
