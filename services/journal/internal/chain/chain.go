// Package chain holds the rule of a gateway's log: every record follows the one before, by number and by hash. A record
// that the journal has already is not taken again; one that does not follow is refused, and with it its batch.
package chain

import (
	"fmt"

	"noorderhub.nl/hub/libs/errs"
)

var (
	codeGap = &errs.Code{
		ID: "log-gap", Kind: errs.Conflict, Side: errs.SideHub, Title: "Records of the log are missing",
		Next: "Ship the log of this gateway from the expected sequence number on.",
	}
	codeMismatch = &errs.Code{
		ID: "log-mismatch", Kind: errs.Conflict, Side: errs.SideHub, Title: "The log does not match what the journal holds",
		Next: "Keep the gateway's log as it is and report an incident: a record was changed, or two gateways share an id.",
	}
)

// Link is what a record contributes to the chain. Hashes are hex SHA-256 of the record's line.
type Link struct {
	Sequence uint64
	Previous string
	Hash     string
}

// Refusal says why a batch does not fit and where the log should go on.
type Refusal struct {
	Expected uint64
	Err      *errs.Error
}

// Error implements error.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the refusal for the caller.
func (r *Refusal) Unwrap() error { return r.Err }

// Fresh gives the part of batch that follows head. held gives the hash of a record that is at or before head; it is asked
// for records that were sent before. head is the zero Sequence with the genesis hash for a log that is new.
func Fresh(head Link, batch []Link, held func(sequence uint64) (hash string, err error)) ([]Link, error) {
	before := batch
	for len(batch) > 0 && batch[0].Sequence <= head.Sequence {
		if err := same(head, batch[0], held); err != nil {
			return nil, err
		}
		batch = batch[1:]
	}
	if err := ordered(before); err != nil {
		return nil, err
	}
	last := head
	for _, l := range batch {
		switch expected := last.Sequence + 1; {
		case l.Sequence != expected:
			return nil, &Refusal{expected, codeGap.New("record %d came where %d is expected", l.Sequence, expected)}
		case l.Previous != last.Hash:
			return nil, &Refusal{expected, codeMismatch.New("record %d names another record as its predecessor than the one before it", l.Sequence)}
		}
		last = l
	}
	return batch, nil
}

func same(head, l Link, held func(uint64) (string, error)) error {
	hash, err := held(l.Sequence)
	if err != nil {
		return fmt.Errorf("record %d: %w", l.Sequence, err)
	}
	if hash != l.Hash {
		return &Refusal{head.Sequence + 1, codeMismatch.New("record %d differs from the one that was shipped before", l.Sequence)}
	}
	return nil
}

// ordered refuses a batch that goes back or repeats itself: its hashes alone would show it only among fresh records.
func ordered(batch []Link) error {
	for i := 1; i < len(batch); i++ {
		if expected := batch[i-1].Sequence + 1; batch[i].Sequence != expected {
			return &Refusal{expected, codeGap.New("record %d came where %d is expected", batch[i].Sequence, expected)}
		}
	}
	return nil
}
