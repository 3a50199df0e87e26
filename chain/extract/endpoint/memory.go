package endpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/money"
)

// cacheKey is the identity of a question: model, version of prompt and schema, and the
// messages, in which the text and the relations are.
func cacheKey(model string, messages []message) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q", model, Version)
	for _, m := range messages {
		_, _ = fmt.Fprintf(h, " %q %q", m.Role, m.Content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (c *Client) remembered(key string) (string, bool) {
	if c.cfg.Cache == "" {
		return "", false
	}
	raw, err := os.ReadFile(filepath.Join(c.cfg.Cache, key[:2], key+".json"))
	return string(raw), err == nil
}

func (c *Client) remember(key, content string) error {
	if c.cfg.Cache == "" {
		return nil
	}
	return replace(filepath.Join(c.cfg.Cache, key[:2], key+".json"), []byte(content))
}

// replace writes a file that only this user reads, whole or not at all.
func replace(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("endpoint: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// ledger counts what a day has cost, in a file when there is a folder for it. Several
// processes may overrun the budget by what they have under way.
type ledger struct {
	budget Budget
	dir    string
	now    func() time.Time

	mu  sync.Mutex
	day spending
}

type spending struct {
	Day    string `json:"day"`
	Tokens int64  `json:"tokens"`
	In     int64  `json:"in"`
	Out    int64  `json:"out"`
}

func (l *ledger) path() string { return filepath.Join(l.dir, "spent.json") }

// load brings the count to today.
func (l *ledger) load() error {
	today := l.now().UTC().Format(time.DateOnly)
	if l.dir != "" {
		raw, err := os.ReadFile(l.path())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("endpoint: %w", err)
		}
		if err == nil {
			if err := json.Unmarshal(raw, &l.day); err != nil {
				return fmt.Errorf("endpoint: %s: %w", l.path(), err)
			}
		}
	}
	if l.day.Day != today {
		l.day = spending{Day: today}
	}
	return nil
}

// cost of tokens in fen, rounded up.
func (b Budget) cost(in, out int64) money.Fen {
	const million = 1_000_000
	return money.Fen((in*int64(b.FenIn) + out*int64(b.FenOut) + million - 1) / million)
}

// allow returns ErrBudget when a request of this size might overrun the budget.
func (l *ledger) allow(in, out int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return err
	}
	if b := l.budget; (b.Tokens > 0 && l.day.Tokens+in+out > b.Tokens) || (b.Fen > 0 && b.cost(l.day.In+in, l.day.Out+out) > b.Fen) {
		return ErrBudget
	}
	return nil
}

// book adds what a request has cost.
func (l *ledger) book(in, out int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return err
	}
	l.day.In, l.day.Out, l.day.Tokens = l.day.In+in, l.day.Out+out, l.day.Tokens+in+out
	if l.dir == "" {
		return nil
	}
	raw, err := json.Marshal(l.day)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	return replace(l.path(), raw)
}
