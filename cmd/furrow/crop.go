package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// cropFlags are the flags that crop train and crop validate share.
type cropFlags struct {
	samples, group, method *string
	folds                  *int
	seed                   *uint64
	asJSON                 *bool
}

func newCropFlags(fs *flag.FlagSet, methods string) cropFlags {
	return cropFlags{
		samples: fs.String("samples", "", "labelled series: CSV, or CSV packed with gzip when the name ends in .gz"),
		group:   fs.String("group", "", "keep the samples of a group in one fold: block:1deg, or a column of the samples"),
		method:  fs.String("method", model.Default, methods),
		folds:   fs.Int("folds", 5, "folds; 0 leaves out one group at a time"),
		seed:    fs.Uint64("seed", 42, "seed of the folds and the method"),
		asJSON:  fs.Bool("json", false, "print one JSON object"),
	}
}

// read reads the samples; a group that is a column is then no band.
func (f cropFlags) read() (*sample.Set, model.Config, error) {
	cfg := model.Config{Method: *f.method, Folds: *f.folds, Group: *f.group, Seed: *f.seed}
	if *f.samples == "" {
		return nil, cfg, errUsage.With("why", "--samples is needed")
	}
	if *f.folds < 0 || *f.folds == 1 || *f.folds == 0 && *f.group == "" {
		return nil, cfg, errUsage.With("why", "--folds is 2 or more, or 0 with --group")
	}
	var opt sample.Options
	if *f.group != "" && !strings.HasPrefix(*f.group, "block:") {
		opt.Groups = []string{*f.group}
	}
	set, err := sample.Open(*f.samples, opt)
	return set, cfg, err
}

// validation is what crop validate prints: the figures asked for, and beside them
// the other way to part the samples.
type validation struct {
	*model.Result
	Random  *model.Result `json:"random,omitempty"`
	Spatial *model.Result `json:"spatial,omitempty"`
	Seconds float64       `json:"seconds"`
}

// runCropValidate measures a method on samples that it has not seen.
func runCropValidate(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("crop validate", "--samples F.csv[.gz] [--folds 5] [--seed 42] [--group block:1deg|COLUMN] [--method NAME] [--only] [--json]", std)
	f := newCropFlags(fs, strings.Join(model.Methods(), ", ")+" or "+model.Rules)
	only := fs.Bool("only", false, "leave out the other way to part the samples, which is shown beside")
	dir := fs.String("catalog", "", "folder that replaces files of the built-in catalogue, for "+model.Rules)
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errUsage.With("why", "there is nothing to do with "+rest[0])
	}
	set, cfg, err := f.read()
	if err != nil {
		return err
	}
	validate, err := validator(cfg.Method, *dir)
	if err != nil {
		return err
	}
	began := time.Now()
	var v validation
	if v.Result, err = validate(ctx, set, cfg); err != nil {
		return err
	}
	if !*only {
		if err := v.beside(ctx, set, cfg, validate); err != nil {
			return err
		}
	}
	v.Seconds = time.Since(began).Seconds()
	if *f.asJSON {
		return printJSON(std.Out, v)
	}
	return v.print(std.Out)
}

type validate func(context.Context, *sample.Set, model.Config) (*model.Result, error)

func validator(method, catalogDir string) (validate, error) {
	if method != model.Rules {
		return model.Validate, nil
	}
	crops, err := openCrops(catalogDir)
	return func(ctx context.Context, set *sample.Set, cfg model.Config) (*model.Result, error) {
		return model.ValidateRules(ctx, crops, set, cfg)
	}, err
}

func openCrops(dir string) (*crop.Catalogue, error) {
	files, err := catalog.Open(dir)
	if err != nil {
		return nil, err
	}
	return crop.Load(files)
}

// beside adds random folds to grouped ones, and 1° blocks where the places are known.
func (v *validation) beside(ctx context.Context, set *sample.Set, cfg model.Config, validate validate) error {
	asked := cfg.Group
	if cfg.Folds == 0 {
		cfg.Folds = 5
	}
	var err error
	if cfg.Group = ""; asked != "" {
		if v.Random, err = validate(ctx, set, cfg); err != nil {
			return err
		}
	}
	if asked != model.Blocks {
		v.Spatial, err = model.Spatial(ctx, set, cfg, validate)
	}
	return err
}

func (v *validation) print(w io.Writer) error {
	var b strings.Builder
	line := func(name string, r *model.Result) {
		if r != nil {
			fmt.Fprintf(&b, "%-22s accuracy %.4f  macro F1 %.3f  kappa %.3f  calibration error %.3f  (%d folds)\n",
				name, r.Accuracy, r.MacroF1, r.Kappa, r.Calibration.ECE, r.FoldsOf)
		}
	}
	fmt.Fprintf(&b, "%s, %d samples, %d without data, %.1f s\n", v.Method, v.Samples, v.NoData, v.Seconds)
	name := "random folds"
	if v.Group != "" {
		name = v.Group
	}
	line(name, v.Result)
	line("random folds", v.Random)
	line(model.Blocks, v.Spatial)
	fmt.Fprintf(&b, "\n%-24s %8s %10s %8s %8s\n", "label", "samples", "producer's", "user's", "F1")
	for _, c := range v.Classes {
		fmt.Fprintf(&b, "%-24s %8d %10.3f %8.3f %8.3f\n", c.Label, c.Samples, c.Producer, c.User, c.F1)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// runCropTrain trains a model and writes it with its record.
func runCropTrain(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("crop train", "--samples F.csv[.gz] --out MODEL [--folds 5] [--seed 42] [--group block:1deg|COLUMN] [--method NAME] [--json]", std)
	f := newCropFlags(fs, strings.Join(model.Methods(), ", "))
	out := fs.String("out", "", "model file to write")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *out == "" || len(rest) > 0 {
		return errUsage.With("why", "--samples and --out are needed, and nothing else")
	}
	if dir, err := os.Stat(filepath.Dir(*out)); err != nil || !dir.IsDir() { // before the long work
		return errUsage.With("why", "the folder of --out does not exist")
	}
	set, cfg, err := f.read()
	if err != nil {
		return err
	}
	m, err := model.Train(ctx, set, model.Training{Config: cfg, Now: time.Now()})
	if err != nil {
		return err
	}
	if err := m.Save(*out); err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, map[string]any{"out": *out, "record": m.Record, "cells": m.Cells})
	}
	return printRecord(std.Out, *out, m)
}

func printRecord(w io.Writer, path string, m *model.Model) error {
	var b strings.Builder
	r := m.Record
	fmt.Fprintf(&b, "%s: %s trained on %d samples of %d crops, bands %s\n", path, r.Method, r.Samples, len(r.Counts), strings.Join(m.Bands(), ", "))
	for _, a := range []*model.Accuracy{r.Random, r.Spatial, r.Grouped} {
		if a != nil {
			name := "random folds"
			if a.Group != "" {
				name = a.Group
			}
			fmt.Fprintf(&b, "%-22s accuracy %.4f  macro F1 %.3f  calibration error %.3f\n", name, a.Overall, a.MacroF1, a.Calib.ECE)
		}
	}
	fmt.Fprintf(&b, "answers from a probability of %.2f on, calibrated on %s; may be used in and about %d squares of 1°\n", r.Threshold, r.Calibration, len(m.Cells))
	_, err := io.WriteString(w, b.String())
	return err
}

// runCropPredict names the crop of every series of a table.
func runCropPredict(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("crop predict", "--model MODEL|rules --samples F.csv[.gz] [--out F.csv] [--json]", std)
	path := fs.String("model", "", "model file of crop train, or "+model.Rules+" for the calendar and the curve")
	samples := fs.String("samples", "", "series in the layout of crop train; labels are not looked at")
	out := fs.String("out", "", "CSV to write (default: standard output)")
	dir := fs.String("catalog", "", "folder that replaces files of the built-in catalogue, for "+model.Rules)
	asJSON := fs.Bool("json", false, "print one JSON object about the run; needs --out")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *path == "" || *samples == "" || len(rest) > 0 || *asJSON && *out == "" {
		return errUsage.With("why", "--model and --samples are needed, with --json also --out")
	}
	answer, opt, err := answerer(*path, *dir)
	if err != nil {
		return err
	}
	set, err := sample.Open(*samples, opt)
	if err != nil {
		return err
	}
	began := time.Now()
	answers, err := answer(ctx, set)
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	rows := make([][]string, len(answers))
	crops, reasons := map[string]int{}, map[string]int{}
	for i, a := range answers {
		rows[i] = append([]string{set.Samples[i].ID}, answerCells(a)...)
		if a.Crop != "" {
			crops[a.Crop]++
		}
		if a.Reason != "" {
			reasons[a.Reason]++
		}
	}
	header := []string{"sample_id", "label", "probability", "second", "second_probability", "reason"}
	if err := writeCSV(*out, std.Out, header, rows); err != nil || *out == "" {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{
			"samples": len(answers), "labels": crops, "reasons": reasons, "seconds": seconds, "out": *out,
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d series, %.1f s\n", len(answers), seconds)
	for _, counts := range []map[string]int{crops, reasons} {
		for _, k := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&b, "%-24s %8d\n", k, counts[k])
		}
	}
	_, err = io.WriteString(std.Out, b.String())
	return err
}

type answerAll func(context.Context, *sample.Set) ([]model.Answer, error)

// answerer opens a model, or the rules, and says which columns it takes as bands.
func answerer(path, catalogDir string) (answerAll, sample.Options, error) {
	if path == model.Rules {
		crops, err := openCrops(catalogDir)
		return func(ctx context.Context, set *sample.Set) ([]model.Answer, error) {
			return model.RulesAnswers(ctx, crops, set)
		}, sample.Options{Bands: []string{"NDVI"}}, err
	}
	m, err := model.Open(path)
	if err != nil {
		return nil, sample.Options{}, err
	}
	return m.AnswerAll, sample.Options{Bands: m.Bands()}, nil
}

// answerCells are label, probability, second, second_probability and reason. Without
// a label the probability is still that of the most probable crop.
func answerCells(a model.Answer) []string {
	cells := []string{a.Crop, "", "", "", a.Reason}
	p := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	for i, g := range a.Guesses[:min(2, len(a.Guesses))] {
		cells[1+2*i] = p(g.Probability)
		if i == 1 {
			cells[2] = g.Crop
		}
	}
	if a.Crop != "" {
		cells[1] = p(a.Confidence)
	}
	return cells
}
