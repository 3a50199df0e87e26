// Package sim makes the demo county and lives in it: people register, draw, apply,
// sign, repay and upload, animals graze and firms trade. It drives the product
// through its public doors (HTTP, MQTT, files) and never writes into its database.
// It is a simulator: nothing in it is real, and nothing outside demo and tests uses it.
package sim

import (
	"sync/atomic"
	"time"
)

// Clock is the time of a demo house. It is the real time, but for the moments in
// which the county's past is played: a loan that is overdue today was drawn when
// the clock stood half a year back.
type Clock struct{ shift atomic.Int64 }

// Now is the time of the house.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.shift.Load())) }

// Travel sets the clock, from where it runs on.
func (c *Clock) Travel(to time.Time) { c.shift.Store(int64(time.Until(to))) }

// Return goes back to the real time.
func (c *Clock) Return() { c.shift.Store(0) }
