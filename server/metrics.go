package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// observer returns what records the time and status of every operation.
func observer(reg *prometheus.Registry) (func(operation string, status int, took time.Duration), error) {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "furrow_http_request_seconds",
		Help:    "Time to answer an operation of the API.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"operation", "status"})
	if err := reg.Register(seconds); err != nil {
		return nil, err
	}
	return func(operation string, status int, took time.Duration) {
		seconds.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
	}, nil
}

func metricsHandler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}
