package upload_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/upload"
)

// full is a store that cannot be written for a while, and says when somebody tried.
type full struct {
	*chaintest.Memory
	mu    sync.Mutex
	fails bool
	let   chan struct{}
}

func (f *full) CommitUpload(
	ctx context.Context, u chain.Upload, docs iter.Seq2[chain.Document, error], firms func() []chain.Party, leans map[string]int, progress func(int),
) (int, error) {
	f.mu.Lock()
	fails := f.fails
	f.fails = false
	f.mu.Unlock()
	if fails {
		<-f.let
		return 0, errors.New("disk full at sector 7")
	}
	return f.Memory.CommitUpload(ctx, u, docs, firms, leans, progress)
}

// TestAFailureInTheBackgroundIsTold: a commit whose caller went away and that fails says
// so on the upload, until it is committed after all.
func TestAFailureInTheBackgroundIsTold(t *testing.T) {
	t.Parallel()
	s := &full{Memory: &chaintest.Memory{}, fails: true, let: make(chan struct{})}
	now := time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)
	if err := s.SaveFirms(t.Context(), []chain.Party{{ID: "anchor", Tenant: "t", Name: "青穗集团", NameKey: "青穗集团", AnchorOf: true, CreatedAt: now}}); err != nil {
		t.Fatal(err)
	}
	who := upload.Who{Tenant: "t", AnchorID: "anchor", UserID: "u"}
	clock := func() time.Time { return now }
	patient := upload.New(upload.Config{Store: s, Now: clock})
	u, err := patient.Check(t.Context(), who, chain.Invoice, "x.csv", []byte("发票号码,卖方,买方,金额,开票日期\nI1,丰岭厂,青穗集团,1000,2026-03-01\n"))
	if err != nil {
		t.Fatal(err)
	}
	hasty := upload.New(upload.Config{Store: s, Now: clock, Patience: -1})
	if left, err := hasty.Commit(t.Context(), who, u.ID, false); err != nil || left.State != chain.UploadCommitting {
		t.Fatalf("%v %+v", err, left)
	}
	close(s.let)
	for u, err = hasty.Get(t.Context(), who, u.ID); err == nil && u.State == chain.UploadCommitting || err == nil && u.Failure == nil; u, err = hasty.Get(t.Context(), who, u.ID) {
		if t.Context().Err() != nil {
			t.Fatal("it never ends")
		}
	}
	if err != nil || u.State != chain.UploadChecked || u.Failure.Code != upload.ErrFailed.Code || u.Failure.Msg != upload.ErrFailed.Msg || !u.Failure.At.Equal(now) {
		t.Fatalf("%v %+v", err, u)
	}
	u, err = patient.Commit(t.Context(), who, u.ID, false)
	if err != nil || u.State != chain.UploadCommitted || u.Failure != nil {
		t.Errorf("%v %+v", err, u)
	}
}
