package app

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// progress draws one bar a step on a terminal, and one line a step elsewhere.
type progress struct {
	w    io.Writer
	tty  bool
	last string
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.tty = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step shows how far a step is.
func (p *progress) step(name string, done, total int) {
	if name != p.last {
		p.end()
		p.last = name
		if !p.tty {
			_, _ = fmt.Fprintf(p.w, "%s\n", name)
		}
	}
	if p.tty && total > 0 {
		const width = 30
		full := width * done / total
		_, _ = fmt.Fprintf(p.w, "\r%-18s [%s%s] %d/%d\x1b[K", name, strings.Repeat("#", full), strings.Repeat(".", width-full), done, total)
	}
}

// end closes the line of the last step.
func (p *progress) end() {
	if p.tty && p.last != "" {
		_, _ = fmt.Fprintln(p.w)
	}
	p.last = ""
}
