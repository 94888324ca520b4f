// Package sqldb opens the SQL store of a part: PostgreSQL in production, SQLite (pure Go) as the embedded default.
//
// One portable text per query serves both: placeholders are $1, $2, …; times are [Time] in a BIGINT column (microseconds
// since 1970, UTC); bytes are BYTEA; JSON is TEXT; ids come from the caller, never from a sequence. Every store of a part
// runs its tests on both through sqldbtest.Each.
//
// SQLite has one writer: *sql.DB of [DB] is a pool of one connection, so a query on it inside a transaction function
// waits for itself. Use the *sql.Tx there, and [DB.Reader] for everything that only reads.
package sqldb
