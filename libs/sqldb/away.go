package sqldb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// AwayError says that the database server cannot be reached at this moment: who starts may wait for it. A wrong password
// or a database that does not exist is not one: that has to be mended.
type AwayError struct {
	Dialect Dialect
	cause   error
}

// Error implements error.
func (e *AwayError) Error() string { return fmt.Sprintf("%s does not answer: %v", e.Dialect, e.cause) }

// Unwrap gives what the driver said.
func (e *AwayError) Unwrap() error { return e.cause }

// Missing names what has to come back. It makes the error one that a program waits for at its start.
func (e *AwayError) Missing() string { return string(e.Dialect) }

// PostgreSQL's codes for a server that is on its way up or down, or full; appendix A of its manual.
var passing = map[string]bool{
	"57P01": true, // admin_shutdown
	"57P02": true, // crash_shutdown
	"57P03": true, // cannot_connect_now
	"53300": true, // too_many_connections
}

// refused tells a server that is away from one that says no.
func refused(dialect Dialect, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	// A certificate that does not hold will not hold in a minute either.
	_, distrust := errors.AsType[*tls.CertificateVerificationError](err)
	if pg, ok := errors.AsType[*pgconn.PgError](err); dialect == SQLite || distrust || ok && !passing[pg.Code] {
		return fmt.Errorf("%s does not answer as it should: %w", dialect, err)
	}
	return &AwayError{Dialect: dialect, cause: err}
}
