// Package mosquitto reads the configuration of a Mosquitto broker and says what of
// it would lose readings or let one device speak for another, and what to write
// instead.
package mosquitto

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Setting is one line of a configuration.
type Setting struct {
	Key, Value string
	Place      string // file:line
}

// Conf is a configuration: its lines in order, those of included files at the place
// of their include_dir.
type Conf struct{ Settings []Setting }

// maxLine is far above any line that Mosquitto takes.
const maxLine = 1 << 20

// Parse reads one file; name is how places in it are called. Keys that are not known
// are kept; only a line that is too long or a broken reader is an error.
func Parse(r io.Reader, name string) (Conf, error) {
	var c Conf
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, value := line, ""
		if i := strings.IndexAny(line, " \t"); i >= 0 {
			key, value = line[:i], strings.TrimSpace(line[i:])
		}
		c.Settings = append(c.Settings, Setting{Key: key, Value: value, Place: fmt.Sprintf("%s:%d", name, n)})
	}
	if err := lines.Err(); err != nil {
		return Conf{}, fmt.Errorf("%s:%d: %w", name, n, err)
	}
	return c, nil
}

// Read reads a file and the files that it includes. An included folder that is not
// there is empty.
func Read(path string) (Conf, error) { return read(path, 0) }

// maxDepth bounds files that include one another.
const maxDepth = 8

func read(path string, depth int) (Conf, error) {
	f, err := os.Open(path)
	if err != nil {
		return Conf{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	c, err := Parse(f, path)
	if err != nil || depth == maxDepth {
		return c, err
	}
	var out Conf
	for _, s := range c.Settings {
		out.Settings = append(out.Settings, s)
		if s.Key != "include_dir" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(s.Value, "*.conf"))
		if err != nil {
			return Conf{}, fmt.Errorf("%s: %w", s.Place, err)
		}
		slices.Sort(files)
		for _, file := range files {
			inner, err := read(file, depth+1)
			if err != nil {
				return Conf{}, err
			}
			out.Settings = append(out.Settings, inner.Settings...)
		}
	}
	return out, nil
}

// last is the setting of a key that counts: the last one.
func (c Conf) last(key string) (Setting, bool) {
	for _, s := range slices.Backward(c.Settings) {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{Key: key}, false
}

// yes reads a switch that is off by default.
func (c Conf) yes(key string) bool {
	s, ok := c.last(key)
	return ok && (s.Value == "true" || s.Value == "1")
}

// number reads a count; ok is false where the value is none.
func (c Conf) number(key string, otherwise int) (n int, place string, ok bool) {
	s, there := c.last(key)
	if !there {
		return otherwise, "", true
	}
	n, err := strconv.Atoi(s.Value)
	return n, s.Place, err == nil
}

// Listener is a door of the broker, with the settings that hold for it.
type Listener struct {
	Port    int
	Bind    string // address or name; "" every address
	Socket  string // path of a UNIX socket
	Place   string
	Default bool // of port and bind_address, or of no listener at all
	own     Conf // settings between it and the next
}

// Local says whether only this machine reaches it.
func (l Listener) Local() bool {
	if l.Socket != "" || l.Bind == "localhost" {
		return true
	}
	ip := net.ParseIP(l.Bind)
	return ip != nil && ip.IsLoopback()
}

// name is what a person calls it.
func (l Listener) name() string {
	if l.Socket != "" {
		return "the socket " + l.Socket
	}
	if l.Place == "" {
		return fmt.Sprintf("the default listener on port %d", l.Port)
	}
	return fmt.Sprintf("the listener on port %d (%s)", l.Port, l.Place)
}

const defaultPort = 1883

// Listeners are the doors in order. Without any, Mosquitto 2 serves this machine only.
func (c Conf) Listeners() []Listener {
	first := Listener{Port: defaultPort, Default: true}
	asked := false
	var out []Listener
	for _, s := range c.Settings {
		switch s.Key {
		case "listener":
			words := strings.Fields(s.Value)
			l := Listener{Place: s.Place}
			if len(words) > 0 {
				l.Port, _ = strconv.Atoi(words[0]) // 0 is what Mosquitto takes for a socket
			}
			if len(words) > 1 {
				l.Bind = words[1]
				if l.Port == 0 {
					l.Socket, l.Bind = words[1], ""
				}
			}
			out = append(out, l)
			continue
		case "port":
			first.Port, _ = strconv.Atoi(s.Value) // what is no number, Mosquitto refuses
			first.Place, asked = s.Place, true
		case "bind_address":
			first.Bind, first.Place, asked = s.Value, s.Place, true
		}
		if len(out) == 0 {
			first.own.Settings = append(first.own.Settings, s)
		} else {
			l := &out[len(out)-1]
			l.own.Settings = append(l.own.Settings, s)
		}
	}
	switch {
	case asked && first.Port != 0:
		return append([]Listener{first}, out...)
	case len(out) == 0:
		first.Bind = "127.0.0.1"
		return []Listener{first}
	}
	return out
}
