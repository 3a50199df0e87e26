package profile

import (
	"fmt"
	"strconv"

	"github.com/furrowcredit/furrow/iot"
)

// lppType is one data type of the Cayenne Low Power Payload: its number is the IPSO
// object id less 3200, all numbers are big-endian. Source: myDevices Cayenne
// documentation, "Cayenne Low Power Payload". The names are those under which
// ChirpStack writes the same values as JSON, so that one map of keys reads both.
type lppType struct {
	name   string
	values []lppValue
}

type lppValue struct {
	name   string // below the channel; "" the channel itself
	bytes  int
	signed bool
	per    float64 // units of the raw number in one of the value
}

func one(name string, bytes int, signed bool, per float64) lppType {
	return lppType{name, []lppValue{{"", bytes, signed, per}}}
}

func three(name string, per float64) lppType {
	return lppType{name, []lppValue{{"x", 2, true, per}, {"y", 2, true, per}, {"z", 2, true, per}}}
}

var lppTypes = map[byte]lppType{
	0:   one("digitalInput", 1, false, 1),
	1:   one("digitalOutput", 1, false, 1),
	2:   one("analogInput", 2, true, 100),
	3:   one("analogOutput", 2, true, 100),
	101: one("illuminanceSensor", 2, false, 1),
	102: one("presenceSensor", 1, false, 1),
	103: one("temperatureSensor", 2, true, 10), // °C
	104: one("humiditySensor", 1, false, 2),    // %
	113: three("accelerometer", 1000),          // g
	115: one("barometer", 2, false, 10),        // hPa
	134: three("gyrometer", 100),               // °/s
	136: {"gpsLocation", []lppValue{{"latitude", 3, true, 10_000}, {"longitude", 3, true, 10_000}, {"altitude", 3, true, 100}}},
}

// decodeLPP reads channel, type and value after each other.
func (p *Profile) decodeLPP(data []byte, r *iot.Reading) (why string) {
	for at := 0; at < len(data); {
		if len(data)-at < 2 {
			return fmt.Sprintf("byte %d is a channel without a type", at)
		}
		channel, kind := data[at], data[at+1]
		t, known := lppTypes[kind]
		if !known {
			return fmt.Sprintf("type %d at byte %d is not one of Cayenne LPP", kind, at+1)
		}
		at += 2
		base := t.name + "." + strconv.Itoa(int(channel))
		for _, v := range t.values {
			if len(data)-at < v.bytes {
				return fmt.Sprintf("the value of channel %d is cut short", channel)
			}
			raw := number(data[at:at+v.bytes], false)
			at += v.bytes
			x := float64(raw)
			if v.signed {
				x = float64(signed(raw, v.bytes))
			}
			path := base
			if v.name != "" {
				path += "." + v.name
			}
			if k, ok := p.Key(path); ok {
				if why := k.Set(r, x/v.per); why != "" {
					return k.Field.String() + ": " + why
				}
			}
		}
	}
	if (r.Lon == nil) != (r.Lat == nil) {
		return "lon and lat go together"
	}
	return ""
}
