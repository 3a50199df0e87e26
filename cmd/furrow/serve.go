package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/app"
)

// noWords parses flags of a command that takes nothing but flags.
func noWords(f *flag.FlagSet, args []string) error {
	rest, err := parseArgs(f, args)
	if err == nil && len(rest) > 0 {
		err = errUsage.With("why", fmt.Sprintf("%q is too much", rest))
	}
	return err
}

func runDemo(ctx context.Context, args []string, std stdio) error {
	f := newFlags("demo", "[--data DIR] [--reset]", std)
	cfg := app.DemoConfig{Out: std.Out, Password: os.Getenv("FURROW_DEMO_PASSWORD")}
	f.StringVar(&cfg.Data, "data", "data", "folder of the demo")
	f.StringVar(&cfg.Addr, "addr", "127.0.0.1:8080", "address of the web pages and the API")
	f.StringVar(&cfg.MQTT, "mqtt", "127.0.0.1:1883", "address of the MQTT broker")
	f.BoolVar(&cfg.Reset, "reset", false, "throw the old county away and start afresh")
	if err := noWords(f, args); err != nil {
		return err
	}
	return app.Demo(ctx, cfg)
}

// houseFlags are the settings that serve, worker and doctor share. Secrets come from
// the environment or from files, never from flags, which every user of the machine sees.
func houseFlags(f *flag.FlagSet, cfg *app.Config) {
	f.StringVar(&cfg.Data, "data", env("FURROW_DATA_DIR", "data"), "folder for the embedded databases and the scene catalogue (FURROW_DATA_DIR)")
	f.StringVar(&cfg.Scenes, "scenes", os.Getenv("FURROW_SCENES"), "folder of the scene catalogue; default DATA/catalogue (FURROW_SCENES)")
	f.StringVar(&cfg.Catalog, "catalog", os.Getenv("FURROW_CATALOG"), "folder whose files replace the built-in catalogue (FURROW_CATALOG)")
	f.StringVar(&cfg.CropModel, "crop-model", os.Getenv("FURROW_CROP_MODEL"), "model of furrow crop train that names the crops it was trained for (FURROW_CROP_MODEL)")
	f.StringVar(&cfg.Tenant, "tenant", env("FURROW_TENANT", "bank"), "the bank, for the first operator (FURROW_TENANT)")
	f.StringVar(&cfg.LLM.URL, "llm", os.Getenv("FURROW_LLM_URL"), "address up to /v1 of a language model that reads documents; default rules do (FURROW_LLM_URL)")
	f.StringVar(&cfg.LLM.Model, "llm-model", os.Getenv("FURROW_LLM_MODEL"), "its name (FURROW_LLM_MODEL)")
	f.StringVar(&cfg.Influx.URL, "influx", os.Getenv("FURROW_INFLUX"), "InfluxDB for the telemetry, http://host:8086; default a file in DATA (FURROW_INFLUX)")
	f.StringVar(&cfg.Influx.Org, "influx-org", os.Getenv("FURROW_INFLUX_ORG"), "organisation in InfluxDB 2 (FURROW_INFLUX_ORG)")
	f.StringVar(&cfg.Influx.Bucket, "influx-bucket", env("FURROW_INFLUX_BUCKET", "furrow"), "bucket, or database of InfluxDB 1.8 (FURROW_INFLUX_BUCKET)")
	f.StringVar(&cfg.Broker.URL, "broker", os.Getenv("FURROW_BROKER"), "external MQTT broker to read from, tcp://host:1883 (FURROW_BROKER)")
	f.StringVar(&cfg.Broker.ClientID, "broker-id", env("FURROW_BROKER_ID", "furrow-ingest"), "client id there; keep it the same between starts (FURROW_BROKER_ID)")
	f.StringVar(&cfg.Broker.Username, "broker-user", os.Getenv("FURROW_BROKER_USER"), "user name there (FURROW_BROKER_USER)")
	f.StringVar(&cfg.Broker.TLS.CA, "broker-ca", os.Getenv("FURROW_BROKER_CA"), "PEM certificate of who signed the broker's, with ssl:// (FURROW_BROKER_CA)")
	f.StringVar(&cfg.Broker.TLS.Cert, "broker-cert", os.Getenv("FURROW_BROKER_CERT"), "PEM certificate that the house shows the broker (FURROW_BROKER_CERT)")
	f.StringVar(&cfg.Broker.TLS.Key, "broker-key", os.Getenv("FURROW_BROKER_KEY"), "PEM key of that certificate (FURROW_BROKER_KEY)")
	f.StringVar(&cfg.Broker.DebugLog, "broker-log", os.Getenv("FURROW_BROKER_LOG"), "log file of a Mosquitto on this machine with log_type notice and debug: what it refuses to devices is told (FURROW_BROKER_LOG)")
	f.Func("broker-formats", "payload formats there: json,cbor,count,thingsboard,chirpstack,sparkplug; default the first three", func(v string) error {
		cfg.Broker.Formats = strings.Split(v, ",")
		return nil
	})
	f.StringVar(&cfg.RailHTTP.URL, "rail", os.Getenv("FURROW_RAIL"), "bank that moves the money, https://host/path; see docs/formats/payment.md (FURROW_RAIL)")
	f.StringVar(&cfg.RailHTTP.KeyID, "rail-key", env("FURROW_RAIL_KEY", "furrow"), "id of the secret that is shared with it (FURROW_RAIL_KEY)")
	f.DurationVar(&cfg.RailHTTP.Timeout, "rail-timeout", 10*time.Second, "how long an answer of it is waited for")
	f.StringVar(&cfg.Broker.Share, "broker-share", os.Getenv("FURROW_BROKER_SHARE"), "group of a shared subscription, for several processes (FURROW_BROKER_SHARE)")
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// secrets fills what must not stand on a command line.
func secrets(cfg *app.Config) error {
	for name, to := range map[string]*string{
		"FURROW_DB": &cfg.DB, "FURROW_INFLUX_TOKEN": &cfg.Influx.Token, "FURROW_BROKER_PASSWORD": &cfg.Broker.Password,
		"FURROW_OPERATOR_PASSWORD": &cfg.OperatorPassword, "FURROW_LLM_KEY": &cfg.LLM.Key,
		"FURROW_INVOICE_SALT": &cfg.InvoiceSalt, "FURROW_CONTRACT_KEY": &cfg.ContractKey, "FURROW_RAIL_SECRET": &cfg.RailHTTP.Secret,
	} {
		v, err := app.Secret(name)
		if err != nil {
			return err
		}
		*to = v
	}
	cfg.Operator = env("FURROW_OPERATOR", "operator")
	return nil
}

const secretHelp = `
Secrets come from the environment, or from the file that NAME_FILE names:
  FURROW_DB                 sqlite:FILE (default in DATA) or postgres://user:password@host/name
  FURROW_OPERATOR_PASSWORD  password of the first operator of an empty house
  FURROW_INFLUX_TOKEN       FURROW_BROKER_PASSWORD       FURROW_LLM_KEY
  FURROW_RAIL_SECRET        shared with the bank of --rail, at least 32 bytes
  FURROW_INVOICE_SALT       shared by the funders that compare promised invoices, at least 16 bytes;
                            exchange fingerprints by furrow chain fingerprints, published as --tenant
  FURROW_CONTRACT_KEY       Ed25519 key in PEM with which the house signs contracts; default DATA/contract.key,
                            made at the first start: keep a copy of it
`

func runServe(ctx context.Context, args []string, std stdio) error {
	cfg := app.Config{Serve: true, Log: slog.New(slog.NewJSONHandler(std.Err, nil))}
	f := newFlags("serve", "[flags]", std)
	f.StringVar(&cfg.Addr, "addr", env("FURROW_ADDR", "127.0.0.1:8080"), "address of the web pages and the API (FURROW_ADDR)")
	f.StringVar(&cfg.MQTT, "mqtt", env("FURROW_MQTT", "127.0.0.1:1883"), "address of the embedded MQTT broker, - for none (FURROW_MQTT)")
	f.StringVar(&cfg.MQTTTLS.Cert, "mqtt-tls-cert", os.Getenv("FURROW_MQTT_TLS_CERT"), "PEM certificate of the embedded broker, for ssl (FURROW_MQTT_TLS_CERT)")
	f.StringVar(&cfg.MQTTTLS.Key, "mqtt-tls-key", os.Getenv("FURROW_MQTT_TLS_KEY"), "PEM key of that certificate (FURROW_MQTT_TLS_KEY)")
	f.StringVar(&cfg.MQTTTLS.CA, "mqtt-client-ca", os.Getenv("FURROW_MQTT_CLIENT_CA"), "PEM certificates of who signs those of devices; a device named <tenant>/<device> then needs no secret (FURROW_MQTT_CLIENT_CA)")
	f.Int64Var(&cfg.SpoolMax, "spool-max", 2<<30, "bytes that are kept in DATA while the telemetry store is down")
	f.DurationVar(&cfg.Keep, "keep-readings", 0, "how long readings are kept, such as 17520h for two years; 0 for ever")
	f.DurationVar(&cfg.KeepRefused, "keep-refused", 90*24*time.Hour, "how long messages in quarantine are kept; 0 for ever")
	f.DurationVar(&cfg.KeepCounts, "keep-counts", 0, "how long counts of cameras, gates and people are kept, 2160h or more; 0 for ever")
	f.BoolVar(&cfg.Work, "work", true, "work background jobs in this process too")
	f.BoolVar(&cfg.Secure, "https", false, "the house is reached by https: mark cookies Secure")
	return runHouse(ctx, f, &cfg, args, std)
}

func runWorker(ctx context.Context, args []string, std stdio) error {
	cfg := app.Config{Work: true, Log: slog.New(slog.NewJSONHandler(std.Err, nil))}
	return runHouse(ctx, newFlags("worker", "[flags]", std), &cfg, args, std)
}

func runHouse(ctx context.Context, f *flag.FlagSet, cfg *app.Config, args []string, std stdio) (err error) {
	houseFlags(f, cfg)
	usage := f.Usage
	f.Usage = func() {
		usage()
		_, _ = fmt.Fprint(std.Err, secretHelp)
	}
	if err := noWords(f, args); err != nil {
		return err
	}
	if err := secrets(cfg); err != nil {
		return err
	}
	if cfg.MQTT == "-" {
		cfg.MQTT = ""
	}
	defer app.Roomy()()
	a, err := app.New(ctx, *cfg)
	if err != nil {
		return err
	}
	defer func() {
		if e := a.Close(); err == nil {
			err = e
		}
	}()
	if cfg.Serve {
		_, _ = fmt.Fprintf(std.Out, "Furrow serves on %s\n", a.URL())
	}
	return a.Run(ctx)
}
