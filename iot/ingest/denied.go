package ingest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// DenialsConfig says which log is followed.
type DenialsConfig struct {
	Path   string // of a Mosquitto that logs notices and debug messages to a file
	Tenant string // the house's, told of refusals whose device the log does not show
	Log    *slog.Logger
}

// FollowDenials reports every publish that Mosquitto refuses to a device because the
// topic is another's, as the embedded broker does, until ctx ends. Mosquitto tells of
// it nowhere but in the debug messages of its log file: those are never sent to
// $SYS/broker/log. They name the client; its user stands in the notice of its sign-in,
// which is why the log is read from its beginning. What was refused before the start
// is not reported again.
func FollowDenials(ctx context.Context, cfg DenialsConfig, p *Pipeline) error {
	d := &denials{cfg: cfg, pipeline: p, users: map[string]string{}}
	if st, err := os.Stat(cfg.Path); err == nil {
		d.past = st.Size()
	}
	defer func() { d.close() }()
	tick := time.NewTicker(denialsEvery)
	defer tick.Stop()
	lost := false
	for {
		err := d.look(ctx)
		if err != nil && !lost {
			cfg.Log.Error("the log of the broker cannot be read: nobody is told what it refuses", "file", cfg.Path, "error", err)
		}
		lost = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

const (
	denialsEvery = 250 * time.Millisecond
	mostClients  = 1 << 20 // whose users are remembered
	longestLine  = 8 << 10 // Mosquitto 2.0 cuts its lines at 1000 bytes
)

type denials struct {
	cfg      DenialsConfig
	pipeline *Pipeline
	users    map[string]string // by client id

	file *os.File
	in   *bufio.Reader
	at   int64 // what was read of the file
	past int64 // where in it the news begins
	line []byte
}

func (d *denials) close() {
	if d.file != nil {
		_ = d.file.Close() // it was only read
		d.file = nil
	}
}

// look reads what is new, in the next file too when the log was rotated.
func (d *denials) look(ctx context.Context) error {
	for {
		if d.file == nil {
			f, err := os.Open(d.cfg.Path)
			if err != nil {
				return err
			}
			d.file, d.in, d.at, d.line = f, bufio.NewReader(f), 0, nil
		}
		now, err := os.Stat(d.cfg.Path) // before the last lines of this one are read
		if err := d.read(ctx); err != nil {
			return err
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil // being rotated
		} else if err != nil {
			return err
		}
		own, err := d.file.Stat()
		if err != nil {
			return err
		}
		if os.SameFile(own, now) && now.Size() >= d.past && own.Size() >= d.at {
			return nil
		}
		d.close()
		d.past = 0
	}
}

// read takes the lines of the file up to its end; half a line waits for its end.
func (d *denials) read(ctx context.Context) error {
	for ctx.Err() == nil {
		part, err := d.in.ReadSlice('\n')
		d.at += int64(len(part))
		if len(d.line) < longestLine {
			d.line = append(d.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		d.take(ctx, strings.TrimRight(string(d.line), "\r\n"), d.at > d.past)
		d.line = d.line[:0]
	}
	return nil
}

// take reads a line, behind whatever time stands before it.
func (d *denials) take(ctx context.Context, line string, news bool) {
	const connected, denied = ": New client connected from ", ": Denied PUBLISH from "
	c, r := strings.Index(line, connected), strings.Index(line, denied)
	switch {
	case c >= 0 && (r < 0 || c < r):
		if id, user, ok := signIn(line[c+len(connected):]); ok {
			if len(d.users) >= mostClients {
				clear(d.users)
			}
			d.users[id] = user
		}
	case r >= 0 && news:
		d.tell(ctx, line[r+len(denied):])
	}
}

// signIn reads ADDRESS as CLIENT (p2, c1, k60, u'USER').
func signIn(s string) (id, user string, ok bool) {
	_, s, ok = strings.Cut(s, " as ")
	end := strings.LastIndex(s, " (p")
	if !ok || end < 0 {
		return "", "", false
	}
	_, user, ok = strings.Cut(s[end:], ", u'")
	user, whole := strings.CutSuffix(user, "').")
	return s[:end], user, ok && whole
}

// refused reads CLIENT (d0, q1, r0, m1, 'TOPIC', ... (2 bytes)), and gives "" for the user
// of a client that is not known, and all of it for a topic that was cut off. A client id and
// a topic may look like any part of that, so the longest client that signed in counts:
// nobody can thereby blame a client that is not their own.
func refused(s string, users map[string]string) (client, user, topic string) {
	client, rest := "?", ""
	for end := len(s); ; {
		if end = strings.LastIndex(s[:end], " (d"); end < 0 {
			break
		}
		client, rest = s[:end], s[end:]
		if u, known := users[client]; known {
			user = u
			break
		}
	}
	_, topic, ok := strings.Cut(rest, ", '")
	end := strings.LastIndex(topic, "', ... (")
	if !ok || end < 0 {
		return client, user, s
	}
	return client, user, topic[:end]
}

// tell reports what a line says was refused.
func (d *denials) tell(ctx context.Context, s string) {
	client, user, topic := refused(s, d.users)
	tenant, id, named := strings.Cut(user, "/")
	a, err := codec.Parse(topic)
	switch {
	case err != nil && topic != s: // a topic that nobody reads
		return
	case named && a.Tenant == tenant && a.Device == id: // its own; the ACL forbids it for another reason
		return
	case !named:
		tenant, id = d.cfg.Tenant, "mosquitto:"+client[:min(len(client), 64)]
	}
	device, err := d.pipeline.Device(ctx, tenant, id)
	if err != nil {
		device = iot.Device{Tenant: tenant, ID: id}
	}
	d.pipeline.Impostor(ctx, device, topic)
}
