package ingest_test

import (
	"net"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot/ingest"
)

// TestPeerThatNeverReads wants the connection ended of a peer that sends for ever and
// reads no acknowledgement: they would fill the memory.
func TestPeerThatNeverReads(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	const window = 10
	r := ingest.NewReceipts(near, window)
	ended := make(chan error, 1)
	for id := range uint16(10 * window) {
		if err := r.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.Done(id+1, nil) {
			r.Flush()
		}
	}
	go func() {
		var err error
		for err == nil { // what was on its way, then the end
			_, err = far.Read(make([]byte, 64<<10))
		}
		ended <- err
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the connection stays open")
	}
	_ = near.Close()
	r.Close()
}
