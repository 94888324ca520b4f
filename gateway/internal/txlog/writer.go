package txlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	journal "noorderhub.nl/hub/services/journal/api"
)

// position is a place in the chain: the last record and the hash of its line.
type position struct {
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"` // hex SHA-256 of the line, without its line end
}

// writer is the one goroutine that writes. Nothing in it is shared but through Log's own fields.
type writer struct {
	*Log
	file   *os.File // nil after a failed sync, until a fresh segment opens
	offset int64    // end of what is synced in file
	tail   position // the last record written
	good   position // the last record synced

	unsynced []*entry // written since the last good sync
	buf      []byte
	bytes    int64 // in buf and file beyond offset

	pause  time.Duration // before the next try of a disk that failed
	logged time.Time     // when the failure was last told
}

// trialMost is the longest pause between two tries of a disk that failed, and the pause between two lines about it.
const trialMost = 5 * time.Second

// run takes what is queued as one batch, until Close.
func (w *writer) run() {
	defer close(w.ended)
	var linger <-chan time.Time // armed while something is unsynced or the disk is on trial
	batch := make([]*entry, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case e := <-w.queue:
			w.commit(w.drain(append(batch, e)), false)
		case <-linger:
			linger = nil
			w.commit(nil, true)
		case <-w.ending:
			for batch = w.drain(batch); len(batch) > 0; batch = w.drain(batch[:0]) {
				w.commit(batch, true)
			}
			w.commit(nil, true)
			w.closed = w.shut()
			return
		}
		if pending := len(w.unsynced) > 0 || w.failing.Load(); pending && linger == nil {
			linger = time.After(max(w.opts.Linger, w.pause))
		}
	}
}

func (w *writer) drain(batch []*entry) []*entry {
	for len(batch) < maxBatch {
		select {
		case e := <-w.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch and syncs when somebody waits for it or force is set. With nothing to write, force tries whether
// a log that failed can sync again: a gateway that is not ready gets no calls that would find out. What nobody waits for
// waits for that trial itself.
func (w *writer) commit(batch []*entry, force bool) {
	waited := force
	for _, e := range batch {
		if e.abandoned.Load() {
			continue // its call was refused; a record now would only mislead
		}
		if e.done == nil && w.failing.Load() && len(w.unsynced) >= queueLength {
			w.lost.Add(1)
			continue
		}
		if err := w.encode(e); err != nil {
			w.opts.Logger.ErrorContext(context.Background(), "record left out", "error", err)
			if e.done == nil {
				w.lost.Add(1)
			}
			answer(e, err)
			continue
		}
		w.unsynced = append(w.unsynced, e)
		waited = waited || e.done != nil
	}
	failing := w.failing.Load()
	if len(w.unsynced) == 0 && !(force && failing) || failing && !waited {
		return
	}
	err := w.write()
	if err == nil && waited {
		err = w.sync()
	}
	if err != nil {
		w.fail(err)
	}
}

// encode appends the line of an entry to the buffer and moves the tail of the chain.
func (w *writer) encode(e *entry) error {
	e.record.ID = journal.RecordID{Gateway: w.id, Sequence: w.tail.Sequence + 1}
	e.record.Previous = w.tail.Hash
	line, err := journal.Encode(e.record)
	if err != nil {
		return err
	}
	if len(line) > journal.MaxLine {
		return fmt.Errorf("record of %d bytes: the journal takes at most %d", len(line), journal.MaxLine)
	}
	w.tail = position{Sequence: e.record.ID.Sequence, Hash: journal.Hash(line)}
	w.buf = append(append(w.buf, line...), '\n')
	return nil
}

// write puts the buffer into the segment, a fresh one when there is none.
func (w *writer) write() error {
	if w.file == nil {
		if err := w.open(w.good.Sequence + 1); err != nil {
			return err
		}
	}
	n, err := w.file.Write(w.buf)
	w.bytes += int64(n)
	w.buf = w.buf[:0]
	return err
}

// sync makes everything written durable, tells who waits, and closes a segment that is long enough.
func (w *writer) sync() error {
	if err := w.opts.Sync(w.file); err != nil {
		return err
	}
	w.offset += w.bytes
	w.size.Add(w.bytes)
	w.bytes = 0
	w.good = w.tail
	w.syncs.Add(1)
	w.records.Add(uint64(len(w.unsynced)))
	if w.failing.Swap(false) {
		w.opts.Logger.InfoContext(context.Background(), "transaction log durable again")
	}
	w.pause, w.logged = 0, time.Time{}
	w.advance(w.good, w.offset)
	for i, e := range w.unsynced {
		answer(e, nil)
		w.unsynced[i] = nil
	}
	w.unsynced = w.unsynced[:0]
	if w.offset >= w.opts.SegmentBytes {
		_ = w.file.Close() // synced: nothing can be lost any more
		w.file = nil
	}
	return nil
}

func answer(e *entry, err error) {
	if e.done != nil {
		e.done <- err
	}
}

// fail gives up everything since the last good sync. A file whose sync failed is never written again: the kernel may
// have dropped what it held and report the next sync as good. Who waits is told no; what nobody waits for moves to the
// next segment.
func (w *writer) fail(cause error) {
	if now := time.Now(); now.Sub(w.logged) >= trialMost {
		w.logged = now
		w.opts.Logger.ErrorContext(context.Background(), "transaction log not durable", "error", cause)
	}
	w.failing.Store(true)
	w.pause = min(max(2*w.pause, w.opts.Linger), trialMost)
	if w.file != nil {
		// Best effort. Recovery reads a segment only up to the sequence at which the next one begins.
		_ = w.file.Truncate(w.offset)
		_ = w.file.Close()
		w.file = nil
	}
	w.bytes, w.buf, w.tail = 0, w.buf[:0], w.good
	kept := w.unsynced
	w.unsynced = nil
	for _, e := range kept {
		if e.done != nil {
			answer(e, fmt.Errorf("%w: %w", ErrUnavailable, cause))
			continue
		}
		if len(w.unsynced) >= queueLength || w.encode(e) != nil {
			w.lost.Add(1)
			continue
		}
		w.unsynced = append(w.unsynced, e)
	}
}

func (w *writer) shut() error {
	w.lost.Add(uint64(len(w.unsynced)))
	if len(w.unsynced) > 0 {
		return errors.Join(ErrUnavailable, w.closeFile())
	}
	return w.closeFile()
}

func (w *writer) closeFile() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}
