package codec_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

func TestPresence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		topic, payload string
		want           *iot.Presence
		err            error
	}{
		{"furrow/v1/bank/g1/status", "online", &iot.Presence{Online: true}, nil},
		{"furrow/v1/bank/g1/status", " offline\r\n", &iot.Presence{}, nil},
		{"furrow/v1/bank/g1/status", "", nil, codec.ErrStatus},
		{"furrow/v1/bank/g1/status", "Online", nil, codec.ErrStatus},
		{"v1/gateway/connect", `{"device":"A-017","type":"tag"}`, &iot.Presence{Tag: "A-017", Online: true}, nil},
		{"v1/gateway/disconnect", `{"device":"A-017"}`, &iot.Presence{Tag: "A-017"}, nil},
		{"furrow/v1/bank/g1/thingsboard/disconnect", ` {"x":[1,{}],"device":"A-017"} `, &iot.Presence{Tag: "A-017"}, nil},
		{"v1/gateway/disconnect", `{}`, nil, codec.ErrField},
		{"v1/gateway/disconnect", `{"device":17}`, nil, codec.ErrField},
		{"v1/gateway/disconnect", `{"device":"a b"}`, nil, codec.ErrField},
		{"v1/gateway/disconnect", `["A-017"]`, nil, codec.ErrPayload},
		{"v1/gateway/disconnect", `{"device":"A-017"`, nil, codec.ErrPayload},
	} {
		h, got := house(t), (*iot.Presence)(nil)
		h.Presence = func(_ context.Context, tenant string, p iot.Presence) {
			if tenant != "bank" || p.Gateway != "g1" || !p.At.Equal(received.Truncate(1e6)) {
				t.Errorf("%s: %s %+v", c.topic, tenant, p)
			}
			got = &iot.Presence{Tag: p.Tag, Online: p.Online}
		}
		items, err := decode(t, h, c.topic, iot.Device{ID: "g1", Tenant: "bank", Kind: iot.Gateway}, c.payload)
		if !errors.Is(err, c.err) || len(items) > 0 || cmp.Diff(c.want, got) != "" {
			t.Errorf("%s %s: %v, %v, %v", c.topic, c.payload, got, err, items)
		}
	}
}

// TestPresenceOfSparkplugsDevices is what an edge node says of its tags.
func TestPresenceOfSparkplugsDevices(t *testing.T) {
	t.Parallel()
	p := newPlant(t, nil)
	var got []iot.Presence
	p.house.Presence = func(_ context.Context, _ string, x iot.Presence) { got = append(got, x) }
	for i, kind := range []string{"NBIRTH", "DBIRTH", "DDATA", "DDEATH"} {
		if _, err := p.send(kind, uint64(i), sparkplug.NewMetric("temperature", sparkplug.Double, 29, p.now)); err != nil { //nolint:gosec // four
			t.Fatal(kind, err)
		}
	}
	want := []iot.Presence{{Gateway: "e1", Tag: "t1", Online: true, At: received.Truncate(1e6)}, {Gateway: "e1", Tag: "t1", At: received.Truncate(1e6)}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
