package app

import (
	"os"
	"runtime"
	"runtime/debug"
)

// Roomy lets the heap of a serving process grow further before garbage is collected, where
// GOGC does not say, until the returned function is called. A house keeps little and
// allocates much: while it marks, who asks waits. The heap may grow to five times what is
// kept, and 160 MB beyond, for which 32 MB stand that are never touched and take no memory.
func Roomy() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ballast := make([]byte, 32<<20)
	before := debug.SetGCPercent(400)
	return func() {
		debug.SetGCPercent(before)
		runtime.KeepAlive(ballast)
	}
}
