package codec_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot/codec"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]codec.Address{
		"furrow/v1/bank/g-1/telemetry":                      {Format: codec.JSON, Tenant: "bank", Device: "g-1"},
		"furrow/v1/bank/cam-1/count":                        {Format: codec.Counts, Tenant: "bank", Device: "cam-1"},
		"furrow/v1/bank/t-1/thingsboard":                    {Format: codec.ThingsBoard, Tenant: "bank", Device: "t-1"},
		"furrow/v1/bank/g-1/thingsboard/gateway":            {Format: codec.ThingsBoard, Tenant: "bank", Device: "g-1", Part: "gateway"},
		"furrow/v1/bank/g-1/status":                         {Format: codec.JSON, Tenant: "bank", Device: "g-1", Part: "status"},
		"furrow/v1/bank/g-1/thingsboard/connect":            {Format: codec.ThingsBoard, Tenant: "bank", Device: "g-1", Part: "connect"},
		"v1/gateway/disconnect":                             {Format: codec.ThingsBoard, Part: "disconnect"},
		"v1/devices/me/telemetry":                           {Format: codec.ThingsBoard},
		"v2/t":                                              {Format: codec.ThingsBoard},
		"v1/gateway/telemetry":                              {Format: codec.ThingsBoard, Part: "gateway"},
		"application/a-1/device/0102030405060708/event/up":  {Format: codec.ChirpStack, Device: "0102030405060708", Part: "up"},
		"application/a-1/device/A1B2030405060708/event/log": {Format: codec.ChirpStack, Device: "a1b2030405060708", Part: "log"},
		"spBv1.0/farm/NBIRTH/e1":                            {Format: codec.Sparkplug, Device: "e1", Part: "NBIRTH"},
		"spBv1.0/farm/DDATA/e1/t1":                          {Format: codec.Sparkplug, Device: "e1", Part: "DDATA/t1"},
		"spBv1.0/farm/NCMD/e1":                              {Format: codec.Sparkplug, Device: "e1", Part: "NCMD"},
		"spBv1.0/STATE/host-1":                              {Format: codec.Sparkplug, Part: "STATE"},
	} {
		want.Topic = topic
		got, err := codec.Parse(topic)
		if err != nil || cmp.Diff(want, got) != "" {
			t.Error(topic, err, cmp.Diff(want, got))
		}
	}
	for _, topic := range []string{
		"", "/", "furrow", "furrow/v1", "furrow/v1/a/b", "furrow/v1/a/b/", "furrow/v1/a/b/other", "furrow/v1//b/count", "furrow/v1/a/b c/count",
		"furrow/v1/+/b/count", "furrow/v1/a/b/thingsboard/other", "furrow/v2/a/b/telemetry", "v1/devices/you/telemetry", "v1/devices/me/attributes",
		"application//device/0102030405060708/event/up", "application/a/device/01020304050607/event/up", "application/a/device/010203040506070g/event/up",
		"application/a/device/0102030405060708/event/other", "application/a/device/0102030405060708/command/down", "application/a/device/0102030405060708/event/up/x",
		"spBv1.0", "spBv1.0/g", "spBv1.0/g/NBIRTH", "spBv1.0/g/NBIRTH/", "spBv1.0/g/NBIRTH/e/d", "spBv1.0/g/DDATA/e", "spBv1.0/g/DDATA/e/", "spBv1.0/g/DDATA/e/d/x",
		"spBv1.0//NDATA/e", "spBv1.0/+/NDATA/e", "spBv1.0/g/ndata/e", "spAv1.0/g/NDATA/e",
	} {
		if a, err := codec.Parse(topic); !errors.Is(err, codec.ErrTopic) || a != (codec.Address{}) {
			t.Errorf("%q: %v, %v", topic, a, err)
		}
	}
}

// Every filter hands over topics of its own format, and no format is without one.
func TestFilters(t *testing.T) {
	t.Parallel()
	all := []codec.Format{codec.JSON, codec.CBOR, codec.ThingsBoard, codec.ChirpStack, codec.Sparkplug, codec.Counts}
	filters := codec.Filters(all...)
	if d := cmp.Diff(slices.Compact(slices.Sorted(slices.Values(filters))), slices.Sorted(slices.Values(filters))); d != "" {
		t.Error("a filter comes twice:", d)
	}
	for _, f := range all {
		of := codec.Filters(f)
		if len(of) == 0 {
			t.Error(f, "has no filter")
		}
		for _, filter := range of {
			topic := strings.Replace(filter, "device/+", "device/0102030405060708", 1)
			topic = strings.Replace(topic, "event/+", "event/up", 1)
			a, err := codec.Parse(strings.ReplaceAll(topic, "+", "x"))
			if err != nil || a.Format != f && f != codec.CBOR {
				t.Errorf("%s: %s is %v, %v", f, filter, a.Format, err)
			}
			if a.Device == "" {
				t.Errorf("%s does not say who published", filter)
			}
		}
	}
	if codec.Filters() != nil || codec.Filters("other") != nil {
		t.Error("no format has filters")
	}
}

// FuzzParse wants no panic, and that what a topic names can be a device.
func FuzzParse(f *testing.F) {
	f.Add("furrow/v1/a/b/thingsboard/gateway")
	f.Add("spBv1.0/g/DDATA/e/d")
	f.Add("application/a/device/0102030405060708/event/up")
	f.Fuzz(func(t *testing.T, topic string) {
		a, err := codec.Parse(topic)
		if err != nil {
			return
		}
		if a.Topic != topic || a.Format == "" || strings.ContainsAny(a.Device+a.Tenant, "+#/") {
			t.Fatalf("%q is %+v", topic, a)
		}
	})
}
