package sample

import (
	"math"
	"slices"
)

// Answer is what a classifier says of a sample: the probability of every label of
// a list. Without Probability it had no data to answer from.
type Answer struct {
	Truth       string
	Probability []float64
	Fold        int
}

// Score is how well answers agree with the labels. Shares are of 1.
type Score struct {
	Samples  int     `json:"samples"`
	NoData   int     `json:"no_data"`          // counted as wrong
	Accuracy float64 `json:"overall_accuracy"` // share of samples with the right label most probable
	MacroF1  float64 `json:"macro_f1"`         // mean over the labels that occur
	Kappa    float64 `json:"kappa"`            // Cohen's: agreement beyond chance

	Classes   []Class  `json:"classes"`
	Labels    []string `json:"labels"`    // of the rows and columns of Confusion
	Confusion [][]int  `json:"confusion"` // rows the truth, columns the answer; the last column is no data
	Folds     []Fold   `json:"per_fold"`

	Calibration Calibration `json:"calibration"`
	Abstention  []Abstain   `json:"abstention"`
}

// Class is how one label fares.
type Class struct {
	Label    string  `json:"label"`
	Samples  int     `json:"samples"`
	Producer float64 `json:"producers_accuracy"` // share of its samples that are found; recall
	User     float64 `json:"users_accuracy"`     // share of its answers that are right; precision; 0 without answers
	F1       float64 `json:"f1"`
}

// Fold is how one fold fares.
type Fold struct {
	Name     string  `json:"name"`
	Samples  int     `json:"samples"`
	Accuracy float64 `json:"overall_accuracy"`
}

// Calibration is how far probabilities can be believed.
type Calibration struct {
	ECE   float64 `json:"ece"`   // mean gap of probability and share right, over ten bins of equal width
	Brier float64 `json:"brier"` // mean squared error of all probabilities of a sample, 0..2
}

// Abstain is what is left when answers below a probability are withheld.
type Abstain struct {
	Threshold float64 `json:"threshold"`
	Coverage  float64 `json:"coverage"` // share of samples answered
	Accuracy  float64 `json:"accuracy"` // of the answered; 0 when none is
}

// Measure holds answers against the truth. Probabilities belong to labels, which
// must be sorted; a truth that is not among them can only be missed. names are of
// the folds.
func Measure(answers []Answer, labels, names []string) *Score {
	all := slices.Clone(labels)
	for _, a := range answers {
		if _, ok := slices.BinarySearch(all, a.Truth); !ok {
			all = append(all, a.Truth)
			slices.Sort(all)
		}
	}
	s := &Score{Samples: len(answers), Labels: all, Confusion: make([][]int, len(all)), Folds: make([]Fold, len(names))}
	for i := range s.Confusion {
		s.Confusion[i] = make([]int, len(all)+1)
	}
	for i, n := range names {
		s.Folds[i].Name = n
	}
	right := 0
	for _, a := range answers {
		truth, _ := slices.BinarySearch(all, a.Truth)
		f := &s.Folds[a.Fold]
		f.Samples++
		if len(a.Probability) == 0 {
			s.NoData++
			s.Confusion[truth][len(all)]++
			continue
		}
		said, _ := slices.BinarySearch(all, labels[Top(a.Probability)])
		s.Confusion[truth][said]++
		if said == truth {
			right++
			f.Accuracy++
		}
	}
	for i := range s.Folds {
		s.Folds[i].Accuracy = share(s.Folds[i].Accuracy, s.Folds[i].Samples)
	}
	s.Accuracy = share(float64(right), len(answers))
	s.perClass()
	s.calibrate(answers, labels)
	return s
}

// Top is the index of the greatest value, the first of equals.
func Top(p []float64) int {
	best := 0
	for i, v := range p {
		if v > p[best] {
			best = i
		}
	}
	return best
}

func share(part float64, of int) float64 {
	if of == 0 {
		return 0
	}
	return part / float64(of)
}

func (s *Score) perClass() {
	var chance, present float64
	for k, label := range s.Labels {
		truth, said := 0, 0
		for j := range s.Labels {
			truth += s.Confusion[k][j]
			said += s.Confusion[j][k]
		}
		truth += s.Confusion[k][len(s.Labels)]
		hit := float64(s.Confusion[k][k])
		c := Class{Label: label, Samples: truth, Producer: share(hit, truth), User: share(hit, said)}
		if truth+said > 0 {
			c.F1 = 2 * hit / float64(truth+said)
			s.MacroF1 += c.F1
			present++
		}
		chance += float64(truth) * float64(said)
		s.Classes = append(s.Classes, c)
	}
	if n := float64(s.Samples); n > 0 {
		s.MacroF1 /= present
		if chance /= n * n; chance < 1 {
			s.Kappa = (s.Accuracy - chance) / (1 - chance)
		}
	}
}

func (s *Score) calibrate(answers []Answer, labels []string) {
	const bins = 10
	var sure, right, n [bins]float64
	var tops []struct {
		p  float64
		ok bool
	}
	var brier float64
	for _, a := range answers {
		if len(a.Probability) == 0 {
			continue
		}
		k := Top(a.Probability)
		p, ok := a.Probability[k], labels[k] == a.Truth
		tops = append(tops, struct {
			p  float64
			ok bool
		}{p, ok})
		b := min(int(p*bins), bins-1)
		n[b]++
		sure[b] += p
		missed := 1.0 // the truth is no label that could be answered
		for j, q := range a.Probability {
			if labels[j] == a.Truth {
				missed = 0
				q = 1 - q
			}
			brier += q * q
		}
		brier += missed
		if ok {
			right[b]++
		}
	}
	for b := range bins {
		s.Calibration.ECE += math.Abs(sure[b]-right[b]) / max(1, float64(len(tops)))
	}
	s.Calibration.Brier = share(brier, len(tops))
	for step := range 20 {
		a := Abstain{Threshold: float64(step) / 20}
		answered, hit := 0, 0.0
		for _, t := range tops {
			if t.p >= a.Threshold {
				answered++
				if t.ok {
					hit++
				}
			}
		}
		a.Coverage, a.Accuracy = share(float64(answered), len(answers)), share(hit, answered)
		s.Abstention = append(s.Abstention, a)
	}
}
