package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"noorderhub.nl/hub/libs/merkle"
)

// Evidence shows somebody who has only the registry's public key that a record was logged. It needs no access to the log.
type Evidence struct {
	Record     string       `json:"record"` // as it was logged, byte for byte
	Salt       []byte       `json:"salt"`
	Sequence   int64        `json:"sequence"`
	Inclusion  merkle.Proof `json:"inclusion"`
	Checkpoint string       `json:"checkpoint"` // signed note
}

// Errors of Evidence.
var (
	ErrNoRecord   = errors.New("there is no such record in the log, or it was removed")
	ErrNotYet     = errors.New("no checkpoint covers the record yet")
	ErrNoEvidence = errors.New("the evidence does not show that the record was logged")
)

// Evidence gives the evidence of a record under the newest checkpoint.
func (l *Log) Evidence(ctx context.Context, src Source, sequence int64) (Evidence, error) {
	rows, err := src.Range(ctx, sequence, sequence+1)
	if err != nil {
		return Evidence{}, fmt.Errorf("audit log: %w", err)
	}
	newest, err := src.Newest(ctx)
	if err != nil {
		return Evidence{}, fmt.Errorf("audit log: %w", err)
	}
	switch {
	case len(rows) != 1:
		return Evidence{}, ErrNoRecord
	case newest.Size < sequence:
		return Evidence{}, ErrNotYet
	}
	proof, err := merkle.ProveInclusion(ctx, src, sequence-1, newest.Size)
	if err != nil {
		return Evidence{}, fmt.Errorf("audit log: %w", err)
	}
	return Evidence{Record: string(rows[0].Body), Salt: rows[0].Salt, Sequence: sequence, Inclusion: proof, Checkpoint: newest.Note}, nil
}

// Check gives the record that the evidence is of. The error wraps ErrNoEvidence.
func (e Evidence) Check(keys merkle.Keys) (Record, error) {
	c, err := keys.Open(e.Checkpoint)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrNoEvidence, err)
	}
	if len(e.Salt) != merkle.SaltSize {
		return Record{}, ErrNoEvidence
	}
	leaf := merkle.Leaf(merkle.Salt(e.Salt), []byte(e.Record))
	if err := merkle.CheckInclusion(e.Inclusion, leaf, e.Sequence-1, c.Size, c.Root); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrNoEvidence, err)
	}
	var r Record
	if err := json.Unmarshal([]byte(e.Record), &r); err != nil || r.Sequence != e.Sequence {
		return Record{}, ErrNoEvidence
	}
	return r, nil
}
