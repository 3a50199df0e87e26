// Package catalog holds what a bank edits without a programmer: crops, species,
// products, policies. The files are part of the binary; a folder given by the
// bank may replace any of them, file by file.
//
// The package only hands out files. Each domain reads and validates its own:
// crop.Load, product.Load, policy.Load and so on, all at start.
package catalog

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"sort"

	"github.com/furrowcredit/furrow/fault"
)

//go:embed *.yaml *.json *.csv names policy chain
var builtin embed.FS

// ErrFolder is returned when the folder that should replace catalogue files is
// not there.
var ErrFolder = fault.New(fault.Invalid, "catalog.folder",
	"the catalogue folder {dir} cannot be read; give an existing folder, or none for the built-in catalogue")

// Open returns the built-in catalogue. When dir is not empty its files come
// first: a file of the same path replaces the built-in one, a new file is added.
func Open(dir string) (fs.FS, error) {
	if dir == "" {
		return builtin, nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: dir, Err: errors.New("not a folder")}
	}
	if err != nil {
		return nil, ErrFolder.With("dir", dir).Because(err)
	}
	return overlay{over: os.DirFS(dir), base: builtin}, nil
}

// overlay answers from over where it can and from base otherwise.
type overlay struct{ over, base fs.FS }

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.over.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.base.Open(name)
	}
	return f, err
}

// ReadDir implements fs.ReadDirFS, so that fs.Glob and fs.WalkDir see both sides.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, overErr := fs.ReadDir(o.over, name)
	base, baseErr := fs.ReadDir(o.base, name)
	if overErr != nil && baseErr != nil {
		return nil, overErr
	}
	if overErr != nil && !errors.Is(overErr, fs.ErrNotExist) {
		return nil, overErr
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		seen[e.Name()] = true
	}
	for _, e := range base {
		if !seen[e.Name()] {
			entries = append(entries, e)
		}
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	return entries, nil
}
