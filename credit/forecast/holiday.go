package forecast

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/money"
)

// NewYear is the first day of the Chinese year that begins in a Gregorian year, 1900
// to 2199, by the rules of GB/T 33661-2017: months begin on the days of new moons by
// China's clock, the winter solstice lies in the eleventh month, and when thirteen
// months lie between two such the first without a major solar term is a leap month.
// It is computed, with the series of Meeus, Astronomical Algorithms, chapters 25 and
// 49.
func NewYear(year int) money.Date {
	from, to := eleventh(year-1), eleventh(year)
	month := func(i int) money.Date { return chinaDay(newMoon(from + float64(i))) }
	if to-from < 13 {
		return month(2)
	}
	for i := 1; i <= 2; i++ {
		// Term number i after the solstice is the first that this month can hold.
		term := chinaDay(sunAt(float64((270+30*i)%360), month(i)))
		if term >= month(i+1) {
			return month(3)
		}
	}
	return month(2)
}

// eleventh numbers the new moon that begins the month of a year's winter solstice.
func eleventh(year int) float64 {
	solstice := chinaDay(sunAt(270, money.NewDate(year, time.December, 10)))
	k := math.Floor((float64(year)-2000+1)*12.3685) + 1
	for chinaDay(newMoon(k)) > solstice {
		k--
	}
	return k
}

// chinaDay is the day in China at a Julian ephemeris day. Dynamical time is ahead of
// the clock by about a minute in these centuries, which the rate below takes off.
func chinaDay(jde float64) money.Date {
	const unixEpoch, minuteAhead, eightHours = 2440587.5, 69.0 / 86400, 8.0 / 24
	return money.Date(math.Floor(jde - unixEpoch - minuteAhead + eightHours))
}

const degree = math.Pi / 180

// newMoon is the Julian ephemeris day of new moon number k; 0 is that of 6 January
// 2000. It is right to a minute or two.
func newMoon(k float64) float64 {
	t := k / 1236.85
	jde := 2451550.09766 + 29.530588861*k + t*t*(0.00015437-0.000000150*t)
	e := 1 - t*(0.002516+0.0000074*t)
	sun := (2.5534 + 29.10535670*k - 0.0000014*t*t) * degree
	moon := (201.5643 + 385.81693528*k + 0.0107582*t*t) * degree
	node := (160.7108 + 390.67050284*k - 0.0016118*t*t) * degree
	omega := (124.7746 - 1.56375588*k + 0.0020672*t*t) * degree
	jde += -0.40720*math.Sin(moon) + 0.17241*e*math.Sin(sun) + 0.01608*math.Sin(2*moon) +
		0.01039*math.Sin(2*node) + 0.00739*e*math.Sin(moon-sun) - 0.00514*e*math.Sin(moon+sun) +
		0.00208*e*e*math.Sin(2*sun) - 0.00111*math.Sin(moon-2*node) - 0.00057*math.Sin(moon+2*node) +
		0.00056*e*math.Sin(2*moon+sun) - 0.00042*math.Sin(3*moon) + 0.00042*e*math.Sin(sun+2*node) +
		0.00038*e*math.Sin(sun-2*node) - 0.00024*e*math.Sin(2*moon-sun) - 0.00017*math.Sin(omega)
	return jde + 0.000325*math.Sin((299.77+0.107408*k-0.009173*t*t)*degree)
}

// sunAt is the Julian ephemeris day, from a day on, at which the sun's apparent
// longitude first is so many degrees.
func sunAt(longitude float64, from money.Date) float64 {
	jd := float64(from) + 2440587.5 - 8.0/24
	jd += math.Mod(longitude-sunLongitude(jd)+720, 360) * 365.2422 / 360
	for range 20 {
		off := math.Mod(longitude-sunLongitude(jd)+540, 360) - 180
		jd += off * 365.2422 / 360
	}
	return jd
}

// sunLongitude is the apparent longitude of the sun in degrees, right to 0.01.
func sunLongitude(jde float64) float64 {
	t := (jde - 2451545) / 36525
	mean := 280.46646 + t*(36000.76983+0.0003032*t)
	m := (357.52911 + t*(35999.05029-0.0001537*t)) * degree
	c := (1.914602-t*(0.004817+0.000014*t))*math.Sin(m) + (0.019993-0.000101*t)*math.Sin(2*m) + 0.000289*math.Sin(3*m)
	omega := (125.04 - 1934.136*t) * degree
	return math.Mod(math.Mod(mean+c-0.00569-0.00478*math.Sin(omega), 360)+360, 360)
}

// The days around the Chinese new year on which business rests: from its eve, the
// seven days of the statutory holiday.
const (
	restFrom = -1
	restDays = 7
)

// working is the share of a month's days on which business does not rest for the new
// year. The holiday moves between January and February, and with it the turnover;
// dividing by this share and multiplying again needs no fitting.
func working(month time.Time) float64 {
	first := money.DateOf(month.Add(12 * time.Hour))
	next := money.DateOf(month.AddDate(0, 1, 0).Add(12 * time.Hour))
	from := NewYear(month.Year()) + restFrom
	rest := min(next, from+restDays) - max(first, from)
	return 1 - float64(max(0, rest))/float64(next-first)
}
