package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
)

// policyFiles are the policies that a file may extend: those of the catalogue, and over
// them those beside the file.
func policyFiles(path, folder string) (policy.File, policy.FileSet, error) {
	source, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return policy.File{}, nil, errUsage.With("why", err.Error())
	}
	own := policy.NewFile(filepath.Base(path), source)
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.yaml"))
	if err != nil {
		return own, nil, err
	}
	set := policy.FileSet{}
	for _, name := range beside {
		b, err := os.ReadFile(name) //nolint:gosec // a neighbour of the file that the user names
		if err != nil {
			return own, nil, err
		}
		if f := policy.NewFile(filepath.Base(name), b); filepath.Base(name) != own.Name && f.Policy != "" {
			set = append(set, f)
		}
	}
	files, err := catalog.Open(folder)
	if err != nil {
		return own, nil, err
	}
	shipped, err := policy.Files(files)
	if err != nil {
		return own, nil, err
	}
	for _, f := range shipped {
		if f.Name != own.Name {
			set = append(set, f)
		}
	}
	return own, set, nil
}

// runPolicyCheck compiles and analyses policies, and tells every mistake with its place.
func runPolicyCheck(_ context.Context, args []string, std stdio) error {
	fs := newFlags("policy check", "FILE... [--catalog DIR] [--json]", std)
	folder := fs.String("catalog", "", "folder with your own catalogue files, whose policies may be extended")
	asJSON := fs.Bool("json", false, "print one JSON object")
	paths, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return errUsage.With("why", "give the file of a policy")
	}
	type checked struct {
		File     string           `json:"file"`
		Policy   string           `json:"policy"` // "" when it has mistakes
		Problems []policy.Problem `json:"problems"`
	}
	out := struct {
		Files []checked `json:"files"`
		Fine  bool      `json:"fine"`
	}{Fine: true}
	for _, path := range paths {
		own, set, err := policyFiles(path, *folder)
		if err != nil {
			return err
		}
		p, problems := set.Check(own)
		c := checked{File: path, Problems: append([]policy.Problem{}, problems...)}
		if p == nil {
			out.Fine = false
		} else {
			c.Policy = p.ID()
		}
		out.Files = append(out.Files, c)
	}
	if *asJSON {
		if err := printJSON(std.Out, out); err != nil {
			return err
		}
	} else {
		for _, c := range out.Files {
			for _, p := range c.Problems {
				_, _ = fmt.Fprintf(std.Out, "%s (%s)\n", p, p.Level)
			}
			if c.Policy != "" {
				_, _ = fmt.Fprintf(std.Out, "%s: fine: %s\n", c.File, c.Policy)
			}
		}
	}
	if !out.Fine {
		return errNo
	}
	return nil
}

// runPolicyTest has a policy decide a file of cases and compares.
func runPolicyTest(_ context.Context, args []string, std stdio) error {
	fs := newFlags("policy test", "FILE --cases CASES.yaml [--catalog DIR] [--json]", std)
	cases := fs.String("cases", "", "YAML with facts and what is expected of them")
	folder := fs.String("catalog", "", "folder with your own catalogue files: policies to extend, products.yaml")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || *cases == "" {
		return errUsage.With("why", "give the file of a policy and --cases")
	}
	own, set, err := policyFiles(rest[0], *folder)
	if err != nil {
		return err
	}
	p, problems := set.Check(own)
	if p == nil {
		for _, x := range problems {
			_, _ = fmt.Fprintln(std.Err, x)
		}
		return errNo
	}
	b, err := os.ReadFile(*cases)
	if err != nil {
		return errUsage.With("why", err.Error())
	}
	list, err := policy.ReadCases(filepath.Base(*cases), b)
	if err != nil {
		return err
	}
	files, err := catalog.Open(*folder)
	if err != nil {
		return err
	}
	products, err := product.Load(files)
	if err != nil {
		return err
	}
	results, err := p.Run(list, products.Product, nil)
	if err != nil {
		return err
	}
	wrong := 0
	for _, r := range results {
		if len(r.Wrong) > 0 {
			wrong++
		}
	}
	if *asJSON {
		err = printJSON(std.Out, struct {
			Policy string              `json:"policy"`
			Cases  int                 `json:"cases"`
			Wrong  int                 `json:"wrong"`
			Result []policy.CaseResult `json:"results"`
		}{p.ID(), len(results), wrong, results})
		if err != nil {
			return err
		}
	} else {
		for _, r := range results {
			for _, w := range r.Wrong {
				_, _ = fmt.Fprintf(std.Out, "%s: %s\n", r.Name, w)
			}
		}
		_, _ = fmt.Fprintf(std.Out, "%s: %d cases, %d as expected\n", p.ID(), len(results), len(results)-wrong)
	}
	if wrong > 0 {
		return errNo
	}
	return nil
}
