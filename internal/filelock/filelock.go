// Package filelock keeps a second process out of files that belong to one.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrHeld is returned while another process, or this one, holds the lock.
var ErrHeld = errors.New("filelock: the lock is held")

// Lock is held until Release, or until the process ends however it ends.
type Lock struct{ f *os.File }

// Take takes the lock of a file, which it makes if need be and never removes, without
// waiting. ErrHeld, or the error of the file system.
func Take(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the caller's own data folder
	if err != nil {
		return nil, err
	}
	switch err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrHeld, path), f.Close())
	case err != nil:
		return nil, errors.Join(err, f.Close())
	}
	return &Lock{f}, nil
}

// Release gives the lock back. Closing the file alone would not: a child that is being
// started at this moment shares the open file until its own program begins.
func (l *Lock) Release() error {
	return errors.Join(flock(l.f, syscall.LOCK_UN), l.f.Close())
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how) //nolint:gosec // a descriptor is small
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
