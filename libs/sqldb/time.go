package sqldb

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is a moment in a BIGINT column: microseconds since 1970, so that order and range work the same on both databases.
// It comes back in UTC. The zero Time is stored as NULL.
type Time struct{ time.Time }

// At wraps t, cut to the microseconds that are stored.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Microsecond)}
}

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time{time.UnixMicro(v).UTC()}
	default:
		return fmt.Errorf("a time is stored as a whole number of microseconds, not as %T", src)
	}
	return nil
}
