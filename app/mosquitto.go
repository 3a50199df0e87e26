package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/app/mosquitto"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot/codec"
)

// mosquittoConf is where packages put the configuration.
const mosquittoConf = "/etc/mosquitto/mosquitto.conf"

// mosquittoName is how findings about the broker are called.
const mosquittoName = "Mosquitto"

// lookMosquitto says what is unsafe about the external broker: from its
// configuration where that can be read, and from outside.
func lookMosquitto(ctx context.Context, cfg Config) []Finding {
	if cfg.Broker.URL == "" && cfg.MosquittoConf == "" {
		return nil
	}
	version, open := knock(ctx, cfg.Broker)
	conf, path, err := brokerConf(cfg)
	switch {
	case errors.Is(err, fs.ErrPermission) && cfg.MosquittoConf == "":
		path = ""
	case err != nil:
		return []Finding{{Name: mosquittoName, Detail: err.Error(), Advice: "give the file of the broker's configuration: --mosquitto-conf"}}
	}
	var out []Finding
	for _, f := range conf.Judge(version, codec.MaxBytes+1024) {
		if path == "" && f.Code != "version" {
			continue // judged without a configuration, the defaults say nothing
		}
		open = open && f.Code != "anonymous"
		out = append(out, Finding{Name: mosquittoName, Detail: f.What, Advice: f.Advice})
	}
	if open {
		out = append(out, Finding{Name: mosquittoName, Detail: cfg.Broker.URL + " lets anybody in without a password", Advice: "allow_anonymous false, password_file FILE"})
	}
	denials := lookDenials(cfg, conf, path != "")
	if len(out) > 0 {
		return append(out, denials)
	}
	detail := "its configuration is not here; give it with --mosquitto-conf"
	if path != "" {
		detail = path + " is safe; a PUBACK of Mosquitto still does not mean that a message is on disk"
	}
	if version != "" {
		detail = version + ": " + detail
	}
	return []Finding{{Name: mosquittoName, OK: true, Detail: detail}, denials}
}

// lookDenials says whether anybody is told when a device tries to publish as another.
func lookDenials(cfg Config, conf mosquitto.Conf, read bool) Finding {
	f := Finding{Name: "impostors", Advice: "docs/formats/mosquitto.md, To be told of impostors"}
	log := cfg.Broker.DebugLog
	if log == "" {
		f.OK = true
		f.Detail = "what Mosquitto refuses to a device that publishes as another never arrives, but no alert tells of the attempt; --broker-log FILE makes it one"
		return f
	}
	file, err := os.Open(log)
	if err != nil {
		f.Detail = "no alert tells of impostors: " + err.Error()
		return f
	}
	_ = file.Close() // it was only opened
	if read && !conf.LogsDenials(log) {
		f.Detail = "no alert tells of impostors: Mosquitto writes no notices and debug messages to " + log
		return f
	}
	return Finding{Name: f.Name, OK: true, Detail: "an alert tells of what " + log + " says was refused"}
}

// brokerConf reads the configuration that was named, or this machine's when the
// broker is here and it has a listener on the broker's port; path is "" where there
// is none.
func brokerConf(cfg Config) (c mosquitto.Conf, path string, err error) {
	if cfg.MosquittoConf != "" {
		c, err = mosquitto.Read(cfg.MosquittoConf)
		return c, cfg.MosquittoConf, err
	}
	u, err := url.Parse(cfg.Broker.URL)
	if err != nil {
		return c, "", err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return c, "", nil
	}
	if c, err = mosquitto.Read(mosquittoConf); errors.Is(err, os.ErrNotExist) {
		return mosquitto.Conf{}, "", nil
	} else if err != nil {
		return mosquitto.Conf{}, "", err
	}
	for _, l := range c.Listeners() {
		if strconv.Itoa(l.Port) == u.Port() || u.Port() == "" {
			return c, mosquittoConf, nil
		}
	}
	return mosquitto.Conf{}, "", nil // of another broker
}

// knockWait is how long a broker may take to tell its version.
const knockWait = 2 * time.Second

// knock asks the broker for its version, as the ingest would, and tries whether it
// lets in who has no password. Both are cautious: what does not answer says nothing.
func knock(ctx context.Context, b Broker) (version string, open bool) {
	if b.URL == "" {
		return "", false
	}
	as := func(user, password string) mqtt.Client {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.URL).SetClientID("furrow-doctor-" + ident.New()).SetUsername(user).SetPassword(password).
			SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(knockWait))
		if !within(ctx, c.Connect()) {
			return nil
		}
		return c
	}
	if c := as("", ""); c != nil {
		open = true
		c.Disconnect(0)
	}
	c := as(b.Username, b.Password)
	if c == nil {
		return "", open
	}
	defer c.Disconnect(0)
	told := make(chan string, 1)
	sub := c.Subscribe("$SYS/broker/version", 0, func(_ mqtt.Client, m mqtt.Message) {
		select {
		case told <- fmt.Sprintf("%.100s", m.Payload()):
		default:
		}
	})
	if !within(ctx, sub) {
		return "", open
	}
	timer := time.NewTimer(knockWait)
	defer timer.Stop()
	select {
	case version = <-told:
	case <-timer.C:
	case <-ctx.Done():
	}
	return version, open
}

func within(ctx context.Context, t mqtt.Token) bool {
	timer := time.NewTimer(knockWait)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error() == nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
