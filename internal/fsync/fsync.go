// Package fsync makes changes of a folder last.
package fsync

import (
	"errors"
	"os"
)

// Dir returns when the names in a folder (files made, renamed, removed) are on disk, so
// that they outlive a power cut.
func Dir(path string) error {
	d, err := os.Open(path) //nolint:gosec // the caller's own data folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
