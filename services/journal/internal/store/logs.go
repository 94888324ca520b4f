package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/chain"
)

// Line is one line of a log with what it says. Bytes has no line end.
type Line struct {
	Bytes  []byte
	Record api.Record
}

// Append takes the lines that follow what is held of one gateway's log, all or none, and gives the new head. It returns
// after they are durable. Lines that are held already are compared and not taken again; a *chain.Refusal says that a line
// does not fit.
func (s *Store) Append(ctx context.Context, gateway string, lines []Line) (api.Head, error) {
	var head api.Head
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		var err error
		if head, err = readHead(ctx, tx, gateway); err != nil {
			return err
		}
		fresh, err := follow(ctx, tx, head, lines)
		if err != nil || len(fresh) == 0 {
			return err
		}
		if err := insertLines(ctx, tx, fresh); err != nil {
			return err
		}
		last := fresh[len(fresh)-1]
		head = api.Head{Gateway: gateway, Sequence: last.Record.ID.Sequence, Hash: api.Hash(last.Bytes)}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO logs (gateway, sequence, hash) VALUES ($1, $2, $3)
			ON CONFLICT (gateway) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash`,
			head.Gateway, int64(head.Sequence), head.Hash)
		return err
	})
	if sqldb.IsUnique(err) {
		// Two shippers of one log at once: the loser finds the winner's records at its next try.
		return head, codeBusy.Wrap(err, "the log of this gateway is being shipped by another connection")
	}
	return head, err
}

// Head gives the last record that is held of a gateway's log.
func (s *Store) Head(ctx context.Context, gateway string) (api.Head, error) {
	return readHead(ctx, s.db.Reader(), gateway)
}

func readHead(ctx context.Context, q sqldb.Querier, gateway string) (api.Head, error) {
	head, err := sqldb.One(ctx, q, func(h *api.Head) []any { return []any{&h.Sequence, &h.Hash} },
		`SELECT sequence, hash FROM logs WHERE gateway = $1`, gateway)
	if errors.Is(err, sql.ErrNoRows) {
		head, err = api.Head{Hash: api.Genesis}, nil
	}
	head.Gateway = gateway
	return head, err
}

// follow applies the chain's rule to lines.
func follow(ctx context.Context, tx *sql.Tx, head api.Head, lines []Line) ([]Line, error) {
	links := make([]chain.Link, len(lines))
	for i, l := range lines {
		links[i] = chain.Link{Sequence: l.Record.ID.Sequence, Previous: l.Record.Previous, Hash: api.Hash(l.Bytes)}
	}
	held := func(sequence uint64) (hash string, err error) {
		err = tx.QueryRowContext(ctx, `SELECT hash FROM records WHERE gateway = $1 AND sequence = $2`,
			head.Gateway, int64(sequence)).Scan(&hash)
		return hash, err
	}
	fresh, err := chain.Fresh(chain.Link{Sequence: head.Sequence, Hash: head.Hash}, links, held)
	return lines[len(lines)-len(fresh):], err
}

func insertLines(ctx context.Context, tx *sql.Tx, lines []Line) error {
	records := make([][]any, len(lines))
	var parties [][]any
	for i, l := range lines {
		r := l.Record
		var d api.Decision
		if r.Decision != nil {
			d = *r.Decision
		}
		consumer, delegator, provider := storable(d.Source.OutwayPeerID), storable(d.Source.DelegatorPeerID), storable(d.Destination.ServicePeerID)
		at, sequence := sqldb.At(r.At), int64(r.ID.Sequence)
		records[i] = []any{r.ID.Gateway, sequence, api.Hash(l.Bytes), string(r.Kind), at, r.TransactionID, r.TraceID, r.SpanID,
			storable(d.Service), consumer, delegator, provider, l.Bytes}
		for _, organisation := range distinct(consumer, delegator, provider) {
			parties = append(parties, []any{organisation, at, r.ID.Gateway, sequence})
		}
	}
	const columns = `records (gateway, sequence, hash, kind, at, transaction_id, trace_id, span_id,
		service, consumer, delegator, provider, line)`
	if err := insert(ctx, tx, columns, 13, records, ""); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if err := insert(ctx, tx, `parties (organisation, at, gateway, sequence)`, 4, parties, ""); err != nil {
		return fmt.Errorf("parties: %w", err)
	}
	return nil
}

// storable takes out the one character that a PostgreSQL text cannot hold; the line keeps it.
func storable(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// distinct gives the organisations that are named, each once.
func distinct(organisations ...string) []string {
	var out []string
	for i, o := range organisations {
		named := o != ""
		for _, before := range organisations[:i] {
			named = named && before != o
		}
		if named {
			out = append(out, o)
		}
	}
	return out
}
