package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/oin"
)

// Filter selects records. Empty fields select nothing out.
type Filter struct {
	Reader       oin.OIN // records that this organisation may read; empty only for who may read all
	Act          Act
	Outcome      Outcome
	Person       string
	Client       string
	Organisation oin.OIN // of the actor
	Subject      Subject // Kind alone, or both
	From, Till   time.Time
	Before       int64 // cursor: records with a lower number; 0 begins with the newest
	Limit        int   // at most MaxLimit; 0 is DefaultLimit
}

// Sizes of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Page is a part of a list.
type Page struct {
	Records []Record // newest first; as Reader may see them
	Next    int64    // Filter.Before of the next page; 0: this is the last
}

// List gives a page of records. What was removed from the log is not in it.
func List(ctx context.Context, src Source, f Filter) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	limit := min(f.Limit, MaxLimit)
	f.Limit = limit + 1 // one more tells whether there is a next page
	rows, err := src.List(ctx, f)
	if err != nil {
		return Page{}, fmt.Errorf("audit log: %w", err)
	}
	var p Page
	if len(rows) > limit {
		rows = rows[:limit]
		p.Next = rows[limit-1].Sequence
	}
	for _, row := range rows {
		var r Record
		if err := json.Unmarshal(row.Body, &r); err != nil {
			return Page{}, fmt.Errorf("audit record %d: %w", row.Sequence, err)
		}
		if f.Reader != "" {
			r = r.SeenBy(f.Reader)
		}
		p.Records = append(p.Records, r)
	}
	return p, nil
}

// Each gives fn every record that a filter selects, newest first, for an export: nothing is left out because it is old.
func Each(ctx context.Context, src Source, f Filter, fn func(Record) error) error {
	for f.Limit = MaxLimit; ; {
		p, err := List(ctx, src, f)
		if err != nil {
			return err
		}
		for _, r := range p.Records {
			if err := fn(r); err != nil {
				return err
			}
		}
		if p.Next == 0 {
			return nil
		}
		f.Before = p.Next
	}
}
