package mosquitto

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// Finding is one thing that is unsafe, and what to write instead.
type Finding struct {
	Code   string // such as "persistence"
	What   string
	Advice string
}

// Least sizes of a configuration that survives an outage of the ingest.
const (
	fewestInFlight = 1000
	fewestQueued   = 100_000
	fewestBytes    = 100 << 20
	longestChanges = 1 // between two saves
	longestSeconds = 5
	shortestExpiry = 7 * 24 * time.Hour
)

// Judge lists what is unsafe, the loss of readings first. version is the broker's,
// "" when it is not known; packet is the largest MQTT packet that must pass, in bytes.
// It reads the ACL files that the configuration names.
func (c Conf) Judge(version string, packet int) []Finding {
	j := &judge{conf: c}
	j.version(version)
	j.storage()
	j.queues(version, packet)
	j.doors()
	return j.found
}

type judge struct {
	conf  Conf
	found []Finding
}

func (j *judge) add(code, advice, what string, args ...any) {
	j.found = append(j.found, Finding{Code: code, What: fmt.Sprintf(what, args...), Advice: advice})
}

// at names the place of a setting in words, or says that it is the default.
func at(place string) string {
	if place == "" {
		return "by default"
	}
	return "at " + place
}

// number reads a count and tells of one that is none.
func (j *judge) number(key string, otherwise int) (n int, place string, ok bool) {
	n, place, ok = j.conf.number(key, otherwise)
	if !ok {
		j.add("number", "write a whole number", "%s at %s is not a number", key, place)
	}
	return n, place, ok
}

func (j *judge) version(version string) {
	if v := Version(version); v == [3]int{2, 0, 16} {
		j.add("version", "install another version than 2.0.16",
			"Mosquitto 2.0.16 ignores max_inflight_messages, and with max_queued_messages 0 drops every message")
	} else if version != "" && v[0] < 2 {
		j.add("version", "install Mosquitto 2", "Mosquitto %s lets anybody in by default and is no longer cared for", version)
	}
}

// Version reads the numbers of a version, such as "mosquitto version 2.0.11"; what is
// not there is zero.
func Version(s string) (v [3]int) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return v
	}
	for i, part := range strings.SplitN(words[len(words)-1], ".", 3) {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end >= 0 {
			part = part[:end]
		}
		v[i], _ = strconv.Atoi(part) // "" is zero
	}
	return v
}

// storage looks at what outlives the broker's end.
func (j *judge) storage() {
	if !j.conf.yes("persistence") {
		s, _ := j.conf.last("persistence")
		j.add("persistence", "persistence true", "nothing is saved (%s): a restart loses every message that waits", at(s.Place))
		return
	}
	interval, place, ok := j.number("autosave_interval", 1800)
	switch {
	case !ok:
	case interval == 0:
		j.add("autosave", "autosave_on_changes true, autosave_interval 1",
			"autosave_interval 0 %s saves only at a clean end: a crash loses every message that waits", at(place))
	case !j.conf.yes("autosave_on_changes") && interval > longestSeconds:
		j.add("autosave", "autosave_on_changes true, autosave_interval 1",
			"messages are saved every %d s (%s): a crash loses what came since, acknowledged or not", interval, at(place))
	case j.conf.yes("autosave_on_changes") && interval > longestChanges:
		j.add("autosave", "autosave_interval 1",
			"messages are saved after %d changes (%s): a crash loses what came since, acknowledged or not", interval, at(place))
	}
}

// queues looks at what waits while nobody reads.
func (j *judge) queues(version string, packet int) {
	if n, place, ok := j.number("max_inflight_messages", 20); ok && n != 0 && n < fewestInFlight {
		j.add("inflight", "max_inflight_messages 0",
			"max_inflight_messages is %d (%s): furrow acknowledges after each commit, so no more than %d messages pass a commit", n, at(place), n)
	}
	switch n, place, ok := j.number("max_queued_messages", 1000); {
	case !ok:
	case n == 0 && Version(version) == [3]int{2, 0, 16}: // said with the version
	case n == 0:
		j.add("queued", "max_queued_messages 1000000",
			"max_queued_messages 0 at %s: 2.0.16 then drops every message, and versions up to 2.0.21 may disconnect clients", place)
	case n < fewestQueued:
		j.add("queued", "max_queued_messages 1000000",
			"max_queued_messages is %d (%s): more than that in an outage is dropped without a word", n, at(place))
	}
	if n, place, ok := j.number("max_queued_bytes", 0); ok && n != 0 && n < fewestBytes {
		j.add("queued_bytes", "max_queued_bytes 0", "max_queued_bytes is %d at %s: more than that in an outage is dropped without a word", n, place)
	}
	for _, key := range []string{"max_packet_size", "message_size_limit"} {
		if n, place, ok := j.number(key, 0); ok && n != 0 && n < packet {
			j.add("packet", fmt.Sprintf("%s %d", key, packet), "%s is %d at %s: a gateway's largest messages are refused", key, n, place)
		}
	}
	if s, ok := j.conf.last("persistent_client_expiration"); ok {
		if d, known := expiry(s.Value); known && d < shortestExpiry {
			j.add("expiry", "persistent_client_expiration 1m", "persistent_client_expiration is %s at %s: "+
				"an ingest that is away for longer loses its session and all that waits in it", s.Value, s.Place)
		}
	}
}

// expiry reads Mosquitto's number and unit: h, d, w, m (month) or y.
func expiry(s string) (time.Duration, bool) {
	const day = 24 * time.Hour
	unit := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day, 'm': 30 * day, 'y': 365 * day}
	if s == "" {
		return 0, false
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	u, ok := unit[s[len(s)-1]]
	if err != nil || !ok || n < 0 || n > 10_000 {
		return 0, false
	}
	return time.Duration(n) * u, true
}

// guards are settings that say who may come in, and with per_listener_settings hold
// for one listener only.
var guards = []string{"allow_anonymous", "password_file", "acl_file", "plugin", "auth_plugin", "psk_file"}

// doors looks at who may come in and speak for whom.
func (j *judge) doors() {
	each := j.conf.yes("per_listener_settings")
	listeners := j.conf.Listeners()
	if each {
		j.orphans(listeners)
	}
	seen := map[string]bool{}
	for _, l := range listeners {
		in := j.conf
		if each {
			in = l.own
		}
		once := func(code, advice, what string, args ...any) {
			// Without per_listener_settings it is one matter and not one a listener.
			if each || !seen[code] {
				j.add(code, advice, what, args...)
			}
			seen[code] = true
		}
		_, certificate := l.own.last("certfile")
		_, psk := l.own.last("psk_hint")
		plugin := has(in, "plugin") || has(in, "auth_plugin")
		mutual := l.own.yes("require_certificate") && (l.own.yes("use_identity_as_username") || l.own.yes("use_subject_as_username"))
		allow, told := in.last("allow_anonymous")
		alone := l.Place == "" // Mosquitto 2 lets anybody in when no listener is configured
		switch {
		case told && in.yes("allow_anonymous"), !told && alone && !has(in, "password_file") && !plugin:
			once("anonymous", "allow_anonymous false, password_file FILE", "%s lets anybody in without a password (%s)", l.name(), at(allow.Place))
		case !has(in, "password_file") && !plugin && !mutual && !psk:
			once("passwords", "password_file FILE, or require_certificate true with use_identity_as_username true",
				"%s has no passwords: nobody can sign in, or nobody is told apart", l.name())
		}
		if !plugin && !has(in, "acl_file") {
			once("acl", "acl_file FILE, with the patterns of docs/formats/mosquitto.md",
				"%s has no ACL: every device may publish as every other", l.name())
		} else if s, ok := in.last("acl_file"); ok && !seen[s.Value] {
			seen[s.Value] = true
			j.acl(s)
		}
		if !l.Local() && !certificate && !psk {
			j.add("tls", "certfile, keyfile and cafile below the listener, or listener PORT 127.0.0.1",
				"%s takes passwords and readings over the network in the clear", l.name())
		}
		if l.own.yes("require_certificate") && !mutual {
			j.add("identity", "use_identity_as_username true",
				"%s asks for certificates and ignores whose they are: the ACL's %%u is then what the device says", l.name())
		}
	}
}

// LogsDenials says whether the file gets the lines that tell which device was refused
// a publish: notices of sign-ins, and debug messages.
func (c Conf) LogsDenials(file string) bool {
	var dest, notice, debug bool
	for _, s := range c.Settings {
		switch s.Key {
		case "log_dest":
			dest = dest || s.Value == "file "+file
		case "log_type":
			notice = notice || s.Value == "notice" || s.Value == "all"
			debug = debug || s.Value == "debug" || s.Value == "all"
		}
	}
	s, told := c.last("connection_messages")
	return dest && notice && debug && (!told || s.Value == "true")
}

func has(c Conf, key string) bool {
	_, ok := c.last(key)
	return ok
}

// orphans are guards above the first listener: with per_listener_settings they hold
// for the default listener only, which may not exist.
func (j *judge) orphans(listeners []Listener) {
	if listeners[0].Default {
		return
	}
	for _, s := range j.conf.Settings {
		if s.Key == "listener" {
			return
		}
		for _, g := range guards {
			if s.Key == g {
				j.add("per_listener", "move it below its listener, or write per_listener_settings false",
					"%s at %s stands above every listener: with per_listener_settings true it holds for none", s.Key, s.Place)
			}
		}
	}
}

// acl looks for rules that let one device speak for another.
func (j *judge) acl(file Setting) {
	f, err := os.Open(file.Value)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		j.add("acl_file", "write the file, after docs/formats/mosquitto.md", "the ACL %s of %s is not there: Mosquitto does not start", file.Value, file.Place)
		return
	case err != nil:
		return // it is for Mosquitto's eyes only, as it should be
	}
	defer func() { _ = f.Close() }() // it was only read
	rules, err := Parse(f, file.Value)
	if err != nil {
		j.add("acl_file", "see that it is a text file", "the ACL cannot be read: %v", err)
		return
	}
	everybody := true // until the first user line
	for _, r := range rules.Settings {
		words := strings.Fields(r.Value)
		if len(words) == 0 {
			continue
		}
		access, topic := "readwrite", r.Value
		switch words[0] {
		case "read", "write", "readwrite", "deny":
			access, topic = words[0], strings.TrimSpace(strings.TrimPrefix(r.Value, words[0]))
		}
		writes := access == "write" || access == "readwrite"
		switch {
		case r.Key == "user":
			everybody = false
		case r.Key == "pattern" && writes && !strings.Contains(topic, "%u") && strings.Contains(topic, "%c"):
			j.add("acl_client", "%u, the signed-in user, instead of %c", "%s trusts the client id, which every device chooses itself", r.Place)
		case writes && (r.Key == "pattern" || r.Key == "topic" && everybody) && !strings.Contains(topic, "%u") && covers(topic):
			j.add("acl_wide", "pattern write furrow/v1/%u/#", "%s lets every device publish as every other", r.Place)
		}
	}
}

// covers says whether a filter takes in topics of several devices.
func covers(filter string) bool {
	levels := strings.Split(filter, "/")
	for i, want := range []string{"furrow", "v1"} {
		if i >= len(levels) {
			return false
		}
		if levels[i] == "#" {
			return true
		}
		if levels[i] != want && levels[i] != "+" {
			return false
		}
	}
	return strings.ContainsAny(strings.Join(levels[2:], "/"), "+#")
}
