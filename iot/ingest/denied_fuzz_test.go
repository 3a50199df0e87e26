package ingest

import (
	"strings"
	"testing"
)

// FuzzDenied has somebody choose a client id and a topic: the sign-in and the refusal that
// Mosquitto writes of them are read as its own, and never as those of another client.
func FuzzDenied(f *testing.F) {
	f.Add("c", "furrow/v1/t/b/telemetry")
	f.Add("v (d0, q1, r0, m1, 'x", "furrow/v1/t/b/telemetry")
	f.Add("x as v", "a', ... (2 bytes))")
	f.Add(" (p2, c1, k60, u't/v').", "v (d0, q1, r0, m1, 'y")
	f.Fuzz(func(t *testing.T, id, topic string) {
		if id == "" || id == "v" || strings.ContainsAny(id+topic, "\n\r") {
			return
		}
		users := map[string]string{"v": "t/v"}
		client, user, ok := signIn("127.0.0.1:49752 as " + id + " (p2, c1, k60, u't/a').")
		if !ok || client != id || user != "t/a" {
			t.Fatalf("the sign-in of %q is read as one of %q, user %q", id, client, user)
		}
		users[id] = user
		if client, user, _ := refused(id+" (d0, q1, r0, m1, '"+topic+"', ... (2 bytes))", users); user != "t/a" {
			t.Fatalf("a refusal of %q is read as one of %q, user %q", id, client, user)
		}
		signIn(id)
		refused(id, users)
	})
}
