package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot/behaviour"
)

// behaviourFlags are the flags that the behaviour commands share.
type behaviourFlags struct {
	data, group *string
	asJSON      *bool
}

func newBehaviourFlags(fs *flag.FlagSet) behaviourFlags {
	return behaviourFlags{
		data:   fs.String("data", "", "acceleration: CSV, or CSV packed with gzip when the name ends in .gz; - for standard input"),
		group:  fs.String("group", "cow", "column of the animal"),
		asJSON: fs.Bool("json", false, "print one JSON object"),
	}
}

func (f behaviourFlags) read(rest []string, std stdio) ([]behaviour.Segment, error) {
	if *f.data == "" || len(rest) > 0 {
		return nil, errUsage.With("why", "give --data")
	}
	return behaviour.Open(*f.data, *f.group, std.In)
}

// runBehaviourValidate measures the method on animals that it has not seen.
func runBehaviourValidate(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("behaviour validate", "--data F.csv[.gz] [--group cow] [--seed 1] [--json]", std)
	f := newBehaviourFlags(fs)
	seed := fs.Uint64("seed", 1, "seed of the bootstrap")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	segments, err := f.read(rest, std)
	if err != nil {
		return err
	}
	v, err := behaviour.Validate(ctx, segments, behaviour.Grid(), *seed)
	if err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, v)
	}
	printScore(std.Out, "resting, walking, grazing", v.Three)
	printScore(std.Out, "the same, doubtful windows unanswered", v.Sure)
	printScore(std.Out, "with standing", v.Four)
	for _, g := range v.Folds {
		_, _ = fmt.Fprintf(std.Out, "  %-12s %8.0f s  accuracy %.3f  (window %g s, ridge %g, threshold %.2f, chosen on the others)\n",
			g.Group, g.Seconds, g.Accuracy, g.Config.Window, g.Config.Ridge, g.Threshold)
	}
	return nil
}

func printScore(w io.Writer, title string, s behaviour.Score) {
	_, _ = fmt.Fprintf(w, "%s: macro F1 %.4f (95 %% over animals %.3f to %.3f), accuracy %.4f, answered %.1f %%\n",
		title, s.MacroF1, s.Low, s.High, s.Accuracy, 100*s.Answered)
	for i, c := range s.Classes {
		_, _ = fmt.Fprintf(w, "  %-9s %7.0f s  precision %.3f  recall %.3f  F1 %.3f  judged", c.Class, c.Seconds, c.Precision, c.Recall, c.F1)
		for _, v := range s.Confusion[i] {
			_, _ = fmt.Fprintf(w, " %7.0f", v)
		}
		_, _ = fmt.Fprintln(w)
	}
}

// runBehaviourTrain learns a model from labelled acceleration.
func runBehaviourTrain(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("behaviour train", "--data F.csv[.gz] --out MODEL [--group cow] [--source TEXT] [--seed 1] [--json]", std)
	f := newBehaviourFlags(fs)
	out := fs.String("out", "", "model file to write")
	source := fs.String("source", "", "where the data comes from and its terms, for the model's record")
	seed := fs.Uint64("seed", 1, "seed of the bootstrap")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *out == "" {
		return errUsage.With("why", "--out is needed")
	}
	segments, err := f.read(rest, std)
	if err != nil {
		return err
	}
	m, err := behaviour.Train(ctx, segments, behaviour.Grid(), *seed, *source)
	if err != nil {
		return err
	}
	if err := writeWhole(*out, m.Save); err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, map[string]any{"model": *out, "config": m.Config, "threshold": m.Threshold, "record": m.Record})
	}
	printScore(std.Out, "resting, walking, grazing, animals left out", *m.Record.Three)
	_, _ = fmt.Fprintf(std.Out, "%s: window %g s, ridge %g, threshold %.2f\n", *out, m.Config.Window, m.Config.Ridge, m.Threshold)
	return nil
}

// openBehaviour reads a model file, or the catalogue's.
func openBehaviour(path, catalogDir string) (*behaviour.Model, error) {
	if path == "" {
		files, err := catalog.Open(catalogDir)
		if err != nil {
			return nil, err
		}
		return behaviour.Load(files)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, behaviour.ErrModel.With("why", "it cannot be opened").At("%s", path).Because(err)
	}
	defer func() { _ = f.Close() }() // read only
	return behaviour.ReadModel(f, path)
}

// runBehaviourPredict judges acceleration window by window.
func runBehaviourPredict(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("behaviour predict", "--data F.csv[.gz] [--model MODEL] [--out F.csv[.gz]] [--group cow] [--json]", std)
	f := newBehaviourFlags(fs)
	model := fs.String("model", "", "model file (default: the catalogue's)")
	dir := fs.String("catalog", "", "folder that replaces files of the built-in catalogue")
	out := fs.String("out", "", "CSV to write (default: standard output)")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *f.asJSON && *out == "" {
		return errUsage.With("why", "--json needs --out, because both would go to standard output")
	}
	m, err := openBehaviour(*model, *dir)
	if err != nil {
		return err
	}
	segments, err := f.read(rest, std)
	if err != nil {
		return err
	}
	var sum behaviourSum
	write := func(to io.Writer) (err error) {
		sum, err = predictBehaviour(ctx, m, segments, to)
		return err
	}
	if *out == "" {
		err = write(std.Out)
	} else {
		err = writeWhole(*out, write)
	}
	if err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, sum)
	}
	_, _ = fmt.Fprintf(std.Err, "%.0f s judged %v, %.0f s doubtful, %.0f s not judged\n", sum.Judged, sum.Seconds, sum.Doubtful, sum.NotJudged)
	return nil
}

// behaviourSum is what became of all seconds of a file.
type behaviourSum struct {
	Judged     float64            `json:"judged_s"`
	Seconds    map[string]float64 `json:"seconds"` // of those, by class
	Ruminating float64            `json:"ruminating_s"`
	Doubtful   float64            `json:"doubtful_s"`
	NotJudged  float64            `json:"not_judged_s"` // runs too short
}

func predictBehaviour(ctx context.Context, m *behaviour.Model, segments []behaviour.Segment, to io.Writer) (behaviourSum, error) {
	sum := behaviourSum{Seconds: map[string]float64{}}
	w := csv.NewWriter(to)
	if err := w.Write([]string{"segment", "animal", "from", "to", "behaviour", "probability", "sure", "ruminating", "activity"}); err != nil {
		return sum, err
	}
	var windows []behaviour.Window
	for i := range segments {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		s := &segments[i]
		windows = m.Windows(s.Hz, s.XYZ, windows[:0])
		if len(windows) == 0 {
			sum.NotJudged += s.Seconds()
		}
		for _, k := range windows {
			at := func(sec float64) string {
				return s.Start.Add(time.Duration(sec * float64(time.Second))).Format("2006-01-02T15:04:05.000Z07:00")
			}
			name := k.Class.String()
			if k.Sure {
				sum.Judged += k.To - k.From
				sum.Seconds[name] += k.To - k.From
				if k.Ruminating {
					sum.Ruminating += k.To - k.From
				}
			} else {
				sum.Doubtful += k.To - k.From
			}
			err := w.Write([]string{s.ID, s.Group, at(k.From), at(k.To), name, strconv.FormatFloat(k.Probability, 'f', 3, 64),
				bit(k.Sure), bit(k.Ruminating), strconv.FormatFloat(k.Activity, 'f', 3, 64)})
			if err != nil {
				return sum, err
			}
		}
	}
	w.Flush()
	return sum, w.Error()
}

// bit is 1 or 0, as tables write yes and no.
func bit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}
