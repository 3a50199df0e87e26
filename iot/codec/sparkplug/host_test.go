package sparkplug_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

// TestNodeOfManyMetrics wants a bound to what one edge node may make the house
// remember, that ends neither its births nor what it has told already.
func TestNodeOfManyMetrics(t *testing.T) {
	t.Parallel()
	var host sparkplug.Host
	var metrics []sparkplug.Metric
	for i := range sparkplug.MaxMetrics {
		m := sparkplug.NewMetric("same name", sparkplug.Float, 1, time.Time{})
		alias := uint64(i)
		m.Alias = &alias
		metrics = append(metrics, m)
	}
	many := sparkplug.Append(nil, sparkplug.Payload{Time: at, Metrics: metrics})
	take := func(kind, device string, payload []byte) error {
		return host.Take(t.Context(), sparkplug.Message{Tenant: "x", Group: "g", Type: kind, Edge: "e", Device: device, Payload: payload, Received: at},
			func(sparkplug.Result, *sparkplug.Fix) {})
	}
	const most = 20 // births of MaxMetrics
	for i := range most {
		if err := take("DBIRTH", fmt.Sprint("d", i), many); err != nil {
			t.Fatal(i, err)
		}
	}
	var syntax *sparkplug.SyntaxError
	if err := take("DBIRTH", "one more", many); !errors.As(err, &syntax) {
		t.Error("one more was taken:", err)
	}
	if err := take("DBIRTH", "d3", many); err != nil {
		t.Error("a rebirth:", err)
	}
	if err := take("DDEATH", "d4", sparkplug.Append(nil, sparkplug.Payload{Time: at})); err != nil {
		t.Error(err)
	}
	if err := take("DBIRTH", "one more", many); err != nil {
		t.Error("after a death:", err)
	}
	if err := take("NBIRTH", "", sparkplug.Append(nil, sparkplug.Payload{Time: at})); err != nil {
		t.Error(err)
	}
	if err := take("DBIRTH", "another", many); err != nil {
		t.Error("after a birth of the node:", err)
	}
}
