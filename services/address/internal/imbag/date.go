package imbag

import (
	"fmt"
	"math"
	"time"
)

// Date is a day, counted from 1970-01-01.
type Date int32

// NoDate is the absence of a date.
const NoDate Date = math.MinInt32

// NewDate makes a Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// DateOf gives the day of t on the clock of its own location.
func DateOf(t time.Time) Date { return NewDate(t.Date()) }

// ParseDate reads "2021-09-15".
func ParseDate[S string | []byte](s S) (Date, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return NoDate, false
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || y == 0 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return NoDate, false
	}
	return civil(y, m, d), true
}

// String writes "2021-09-15", "" for none.
func (d Date) String() string {
	if d == NoDate {
		return ""
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}

// Moment is a time as the register writes it: the Dutch clock without a zone, in milliseconds from 1970-01-01T00:00:00.
type Moment int64

// NoMoment is the absence of a moment.
const NoMoment Moment = math.MinInt64

const msPerDay = 86_400_000

// ParseMoment reads "2010-11-15T13:24:58.000"; the fraction may be absent and has at most three digits.
func ParseMoment[S string | []byte](s S) (Moment, bool) {
	if len(s) < 19 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return NoMoment, false
	}
	day, ok := ParseDate(s[:10])
	h, ok1 := digits(s[11:13])
	m, ok2 := digits(s[14:16])
	sec, ok3 := digits(s[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return NoMoment, false
	}
	ms := 0
	if len(s) > 19 {
		if s[19] != '.' || len(s) < 21 || len(s) > 23 {
			return NoMoment, false
		}
		f, ok := digits(s[20:])
		if !ok {
			return NoMoment, false
		}
		for range 23 - len(s) {
			f *= 10
		}
		ms = f
	}
	return Moment(day)*msPerDay + Moment(((h*60+m)*60+sec)*1000+ms), true
}

// MomentOf gives what the clock of t's own location shows.
func MomentOf(t time.Time) Moment {
	_, offset := t.Zone()
	return Moment(t.UnixMilli() + int64(offset)*1000)
}

// In gives the time at which the clock in zone shows the moment. In the hour that comes twice in autumn it is one of
// the two, always the same.
func (m Moment) In(zone *time.Location) time.Time {
	t := time.UnixMilli(int64(m)).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

// String writes the moment with milliseconds, "" for none.
func (m Moment) String() string {
	if m == NoMoment {
		return ""
	}
	return time.UnixMilli(int64(m)).UTC().Format("2006-01-02T15:04:05.000")
}

func digits[S string | []byte](s S) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// civil counts days without time.Date, which costs more than the rest of reading an occurrence. The formula is
// days_from_civil by Howard Hinnant (chrono-compatible low-level date algorithms).
func civil(y, m, d int) Date {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return Date(era*146097 + doe - 719468)
}

// GoString helps test failures.
func (d Date) GoString() string { return fmt.Sprintf("Date(%s)", d) }
