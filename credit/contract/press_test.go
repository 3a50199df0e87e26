package contract_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/contract"
)

// A press gives what its font prints, whoever asks, how often and after how many others.
func TestPressPrintsTheSame(t *testing.T) {
	t.Parallel()
	font, err := contract.FindFont("")
	if err != nil {
		t.Fatal(err)
	}
	paper := func(n int) contract.Paper {
		return contract.Paper{Title: "合同", Text: fmt.Sprintf("借款合同\n第 %d 号", n), Page: "{n}/{all}", At: time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)}
	}
	want := make([][]byte, 3)
	for i := range want {
		if want[i], err = font.Print(paper(i)); err != nil {
			t.Fatal(err)
		}
	}
	var press contract.Press
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			if got, err := press.Print(font, paper(i%3)); err != nil || !bytes.Equal(got, want[i%3]) {
				t.Errorf("paper %d: %d bytes, want %d; %v", i%3, len(got), len(want[i%3]), err)
			}
		})
	}
	all.Wait()
}
