package apptest

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// Device publishes over one MQTT connection.
type Device struct {
	testing.TB
	topic  string
	client mqtt.Client
}

// Connect signs a device in at a broker; with an empty secret it is anonymous.
func Connect(t testing.TB, url, tenant string, cred iot.Credential) *Device {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID(cred.Username).SetAutoReconnect(false).SetConnectTimeout(10 * time.Second)
	if cred.Secret != "" {
		o.SetUsername(cred.Username).SetPassword(cred.Secret)
	}
	d := &Device{TB: t, topic: codec.TopicOf(tenant, cred.DeviceID), client: mqtt.NewClient(o)}
	d.done(d.client.Connect())
	t.Cleanup(func() { d.client.Disconnect(50) })
	return d
}

// Publish sends readings in one message at QoS 1 and waits for its acknowledgement.
func (d *Device) Publish(readings ...iot.Reading) {
	d.Helper()
	d.done(d.client.Publish(d.topic, 1, false, codec.AppendAll(nil, readings)))
}

func (d *Device) done(t mqtt.Token) {
	d.Helper()
	if !t.WaitTimeout(30 * time.Second) {
		d.Fatal("no answer of the broker")
	}
	if err := t.Error(); err != nil {
		d.Fatal(err)
	}
}

// Forget drops the session that a client id holds at a broker, with what waits in it.
func Forget(t testing.TB, url, clientID string) {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(clientID).SetCleanSession(true).SetAutoReconnect(false))
	if token := c.Connect(); token.WaitTimeout(10*time.Second) && token.Error() == nil {
		c.Disconnect(50)
	}
}
