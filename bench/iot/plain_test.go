package iotbench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// childConsume reads from the broker args[0] into the InfluxDB args[1] with nothing
// but the MQTT client and the standard library: batches of at most 5,000 lines, each
// message acknowledged after the database has its line.
func childConsume(ctx context.Context, args []string) error {
	const most = 5000
	work := make(chan mqtt.Message, 2*most)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + args[0]).SetClientID("plain").
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { work <- m }))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	if t := c.Subscribe("furrow/v1/+/+/telemetry", 1, nil); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	var body []byte
	for {
		batch := []mqtt.Message{<-work}
		for wait := time.After(5 * time.Millisecond); len(batch) < most; {
			select {
			case m := <-work:
				batch = append(batch, m)
				continue
			case <-wait:
			}
			break
		}
		body = body[:0]
		for _, m := range batch {
			var r struct {
				Tag      string
				TS       int64
				Lon, Lat float64
				Temp     float64 `json:"temp_c"`
				Activity float64
			}
			if err := json.Unmarshal(m.Payload(), &r); err != nil {
				return err
			}
			body = line(body, r.Tag, r.TS, r.Lon, r.Lat, r.Temp, r.Activity)
		}
		if err := post(ctx, args[1]+"/write?db=plain&precision=ms", body); err != nil {
			return err
		}
		for _, m := range batch {
			m.Ack()
		}
	}
}

func line(b []byte, tag string, ts int64, lon, lat, temp, activity float64) []byte {
	b = append(append(b, "reading,tag_id="...), tag...)
	b = strconv.AppendFloat(append(b, " lon="...), lon, 'f', -1, 64)
	b = strconv.AppendFloat(append(b, ",lat="...), lat, 'f', -1, 64)
	b = strconv.AppendFloat(append(b, ",temp_c="...), temp, 'f', -1, 64)
	b = strconv.AppendFloat(append(b, ",activity="...), activity, 'f', -1, 64)
	return append(strconv.AppendInt(append(b, ' '), ts, 10), '\n')
}

func post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("influxdb: %s", res.Status)
	}
	return nil
}
