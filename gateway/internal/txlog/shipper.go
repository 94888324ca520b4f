package txlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	journal "noorderhub.nl/hub/services/journal/api"
)

// Journal takes lines as they stand in the log; *journal.Client is one. A batch that it has taken before, whole or in
// part, must be no error: a crash between its answer and the note of it makes the shipper send again. A *journal.GapError
// tells where it wants to go on.
type Journal interface {
	ShipLines(ctx context.Context, lines [][]byte) error
}

// Shipper brings a log to the journal. One Run at a time.
type Shipper struct {
	log    *Log
	to     Journal
	logger *slog.Logger
	at     position // the last record the journal has
	in     uint64   // first record of the segment that is being read
	offset int64    // where its next record begins
	fault  atomic.Pointer[error]
}

// Fault gives why the last try to ship failed, nil when it did not.
func (s *Shipper) Fault() error {
	if err := s.fault.Load(); err != nil {
		return *err
	}
	return nil
}

// Sizes of a batch and pauses after a failure.
const (
	shipRecords = 500
	shipBytes   = 1 << 20
	shipTimeout = 30 * time.Second
	pauseFirst  = 100 * time.Millisecond
	pauseMost   = 30 * time.Second
)

// NewShipper starts after the last record that was noted as shipped.
func NewShipper(l *Log, to Journal, logger *slog.Logger) *Shipper {
	return &Shipper{log: l, to: to, logger: logger, at: l.shipped}
}

// Run ships whatever gets durable, until ctx ends. The journal being away costs nothing but disk.
func (s *Shipper) Run(ctx context.Context) error {
	pause := pauseFirst
	for {
		advanced, before := s.log.advancedChan(), s.at.Sequence
		err := s.Flush(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if s.at.Sequence > before { // progress, though perhaps not to the end
			pause = pauseFirst
		}
		if err == nil {
			s.fault.Store(nil)
			select {
			case <-ctx.Done():
				return nil
			case <-advanced:
			}
			continue
		}
		s.fault.Store(&err)
		s.logger.WarnContext(ctx, "transaction records not shipped", "error", err, "synced", s.log.Synced(), "shipped", s.at.Sequence)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)): // all gateways must not come back at once
		}
		pause = min(2*pause, pauseMost)
	}
}

// Flush ships everything that is durable now. On stop it is called once more, after the log has closed.
func (s *Shipper) Flush(ctx context.Context) error {
	for s.at.Sequence < s.log.Synced() {
		if err := s.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step ships one batch, notes it, and removes what has arrived whole.
func (s *Shipper) step(ctx context.Context) error {
	seg, limit, err := s.log.segmentOf(s.at.Sequence + 1)
	if err != nil {
		return err
	}
	batch, at, size, err := s.read(seg, limit)
	if err != nil {
		return err
	}
	shipCtx, cancel := context.WithTimeout(ctx, shipTimeout)
	defer cancel()
	if err := s.to.ShipLines(shipCtx, batch); err != nil {
		return s.rewind(err)
	}
	if err := s.log.cursor.save(at); err != nil {
		return err
	}
	s.at = at
	s.offset += size
	s.log.removeShipped(at.Sequence)
	return nil
}

// rewind goes back to where the journal wants to go on, after it was restored from a backup. What was removed here as
// shipped is then missing there: the error stays, for an operator.
func (s *Shipper) rewind(err error) error {
	var gap *journal.GapError
	if !errors.As(err, &gap) || gap.Expected == 0 || gap.Expected > s.at.Sequence {
		return err
	}
	if _, _, missing := s.log.segmentOf(gap.Expected); missing != nil {
		return errors.Join(err, missing)
	}
	s.at, s.in = position{Sequence: gap.Expected - 1}, 0
	return err
}

// read takes the next records of one segment, at most to record limit.
func (s *Shipper) read(seg segment, limit uint64) ([][]byte, position, int64, error) {
	f, err := os.Open(seg.path)
	if err != nil {
		return nil, s.at, 0, err
	}
	defer f.Close()
	if s.in != seg.first {
		if s.offset, err = offsetAfter(f, s.at.Sequence+1-seg.first); err != nil {
			return nil, s.at, 0, err
		}
		s.in = seg.first
	}
	buf := make([]byte, min(shipBytes, seg.end-s.offset))
	if _, err := f.ReadAt(buf, s.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, s.at, 0, err
	}
	var batch [][]byte
	at, rest := s.at, buf
	for len(batch) < shipRecords && at.Sequence < limit {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			break
		}
		next, ok := s.log.follow(line, at)
		if !ok {
			return nil, s.at, 0, fmt.Errorf("%s: record %d is damaged", seg.path, at.Sequence+1)
		}
		batch = append(batch, line)
		at, rest = next, after
	}
	if len(batch) == 0 {
		return nil, s.at, 0, fmt.Errorf("%s: record %d is not there", seg.path, s.at.Sequence+1)
	}
	return batch, at, int64(len(buf) - len(rest)), nil
}

// offsetAfter gives where the n-th line of f ends.
func offsetAfter(f *os.File, n uint64) (int64, error) {
	if n == 0 {
		return 0, nil
	}
	var offset int64
	buf := make([]byte, 64<<10)
	for {
		read, err := f.ReadAt(buf, offset)
		chunk := buf[:read]
		for n > 0 {
			i := bytes.IndexByte(chunk, '\n')
			if i < 0 {
				break
			}
			n--
			offset += int64(i) + 1
			chunk = chunk[i+1:]
		}
		if n == 0 {
			return offset, nil
		}
		if err != nil {
			return 0, fmt.Errorf("segment is %d lines short: %w", n, err)
		}
		offset += int64(len(chunk))
	}
}

func (l *Log) advancedChan() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.advanced
}

// segmentOf finds the segment with a record, and the last record to read from it.
func (l *Log) segmentOf(sequence uint64) (segment, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.segments) - 1; i >= 0; i-- {
		s := l.segments[i]
		if s.first > sequence {
			continue
		}
		limit := l.synced.Load()
		if i+1 < len(l.segments) {
			limit = min(limit, l.segments[i+1].first-1)
		}
		return s, limit, nil
	}
	return segment{}, 0, fmt.Errorf("record %d is in no segment", sequence)
}

// removeShipped deletes every segment whose records the journal has, but the one that is written.
func (l *Log) removeShipped(sequence uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.segments) > 1 && l.segments[1].first <= sequence+1 {
		if err := os.Remove(l.segments[0].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			l.opts.Logger.WarnContext(context.Background(), "shipped segment not removed", "segment", l.segments[0].path, "error", err)
		}
		l.size.Add(-l.segments[0].end)
		l.segments = l.segments[1:]
	}
}
