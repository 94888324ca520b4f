// Package txlog is the gateway's local transaction log: what makes a call provable before it leaves, without waiting for
// any other machine.
//
// Records are lines of JSON in append-only segment files on a volume of the gateway's own. Each carries the gateway's
// stable id, a sequence without gaps and the SHA-256 of the line before. One goroutine writes: whoever waits for a record
// shares one write and one sync with everybody who asked meanwhile (group commit). A record counts only once its sync
// has returned; after a failed sync nothing since the last good one counts, the segment is left behind, and the log takes
// records again when a fresh segment has synced.
//
// A Shipper brings synced records to the journal, in order, and removes segments that have arrived whole. Nothing that
// is not synced is ever shipped, so a crash can not make the journal know a sequence that the log gives out again.
package txlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	journal "noorderhub.nl/hub/services/journal/api"
)

// Errors of Append. ErrUnavailable: the record is not durable. ErrFull: the journal has not taken records for so long
// that the log's size is used up. ErrClosed: the gateway is stopping.
var (
	ErrUnavailable = errors.New("transaction log: not durable")
	ErrFull        = errors.New("transaction log: full")
	ErrClosed      = errors.New("transaction log: closed")
)

// Options of a Log.
type Options struct {
	Dir          string               // the gateway's own directory; made when absent
	Name         string               // start of the gateway's id, e.g. the host name; a random part is added once
	SegmentBytes int64                // a segment is closed beyond this; default 64 MiB
	MaxBytes     int64                // of all records not yet shipped; default 8 GiB
	Linger       time.Duration        // longest time a record that nobody waits for stays unsynced; default 100 ms
	Sync         func(*os.File) error // makes a segment durable; default (*os.File).Sync
	Logger       *slog.Logger         // required
}

// Stats counts what happened since Open.
type Stats struct {
	Records uint64 // made durable
	Syncs   uint64
	Lost    uint64 // records that nobody waited for and that could not be kept
	Bytes   int64  // on disk, not yet shipped
}

// Log appends. It is safe for many goroutines.
type Log struct {
	opts Options
	id   string
	lock *os.File

	queue  chan *entry
	noting sync.RWMutex  // held for reading by Note, for writing to close ending: the writer's last look at queue sees every note
	ending chan struct{} // closed by Stop
	ended  chan struct{} // closed when the writer has ended
	stop   sync.Once
	close  sync.Once
	closed error

	cursor   *cursor  // the Shipper's
	shipped  position // where the Shipper begins
	mu       sync.Mutex
	segments []segment     // oldest first; the last one is written
	advanced chan struct{} // closed and replaced whenever more is synced

	synced  atomic.Uint64 // highest durable sequence
	size    atomic.Int64
	records atomic.Uint64
	syncs   atomic.Uint64
	lost    atomic.Uint64
	failing atomic.Bool // the last sync failed
}

const (
	defaultSegmentBytes = 64 << 20
	defaultMaxBytes     = 8 << 30
	defaultLinger       = 100 * time.Millisecond
	queueLength         = 4096
	maxBatch            = 1024 // records per write
)

// Open takes the directory for this process and recovers what a crash left: the torn end of the last segment is set
// aside, and the chain goes on after the last whole record. A directory that another process holds, and a fault that a
// whole record follows (which no crash makes), are errors.
func Open(o Options) (*Log, error) {
	if o.Dir == "" || o.Logger == nil {
		return nil, errors.New("transaction log: Dir and Logger are required")
	}
	setDefault(&o.SegmentBytes, defaultSegmentBytes)
	setDefault(&o.MaxBytes, defaultMaxBytes)
	setDefault(&o.Linger, defaultLinger)
	o.SegmentBytes = min(o.SegmentBytes, o.MaxBytes/4) // the segment being written counts as not shipped
	if o.Sync == nil {
		o.Sync = (*os.File).Sync
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("transaction log: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("transaction log: %w", err)
	}
	l := &Log{
		opts: o, lock: lock, queue: make(chan *entry, queueLength), ending: make(chan struct{}), ended: make(chan struct{}),
		advanced: make(chan struct{}),
	}
	w, err := l.recover()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("transaction log: %w", err), l.release())
	}
	go w.run()
	return l, nil
}

func setDefault[T ~int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// ID is the gateway's stable id, kept in the directory.
func (l *Log) ID() string { return l.id }

// Stats gives the counts of now.
func (l *Log) Stats() Stats {
	return Stats{Records: l.records.Load(), Syncs: l.syncs.Load(), Lost: l.lost.Load(), Bytes: l.size.Load()}
}

// Append makes r durable and returns when it is. Sequence, gateway id and hash are set here. When ctx ends first the
// error is ErrUnavailable: r may become durable all the same, so the caller must not act on it.
func (l *Log) Append(ctx context.Context, r *journal.Record) error {
	if l.size.Load() >= l.opts.MaxBytes {
		return ErrFull
	}
	e := &entry{record: *r, done: make(chan error, 1)}
	select {
	case <-l.ending:
		return ErrClosed
	default:
	}
	select {
	case l.queue <- e:
	case <-l.ending:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	select {
	case err := <-e.done:
		return err
	case <-l.ended:
		select { // the writer may have answered while it ended
		case err := <-e.done:
			return err
		default:
			return ErrClosed
		}
	case <-ctx.Done():
		e.abandoned.Store(true)
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// Note appends r without waiting. It reports false, and counts the record as lost, when there is no room. A part of the
// log's size is kept for these, so that the outcome of a call that was let through still fits.
func (l *Log) Note(r *journal.Record) bool {
	l.noting.RLock()
	defer l.noting.RUnlock()
	select {
	case <-l.ending:
	default:
		if l.size.Load() < l.opts.MaxBytes+l.opts.MaxBytes/8 {
			select {
			case l.queue <- &entry{record: *r}:
				return true
			default:
			}
		}
	}
	l.lost.Add(1)
	return false
}

// Ready tells why records can not be made durable, nil when they can.
func (l *Log) Ready() error {
	select {
	case <-l.ending:
		return ErrClosed
	default:
	}
	switch {
	case l.failing.Load():
		return ErrUnavailable
	case l.size.Load() >= l.opts.MaxBytes:
		return ErrFull
	}
	return nil
}

// Synced is the highest durable sequence, 0 for none.
func (l *Log) Synced() uint64 { return l.synced.Load() }

// Stop takes no more records, and writes and syncs what is queued. What is there can still be shipped.
func (l *Log) Stop() error {
	l.stop.Do(func() {
		l.noting.Lock()
		defer l.noting.Unlock()
		close(l.ending)
	})
	<-l.ended
	return l.closed
}

// Close stops and gives the directory free. Later calls return the same.
func (l *Log) Close() error {
	err := l.Stop()
	l.close.Do(func() { l.closed = errors.Join(err, l.release()) })
	return l.closed
}

// release gives the directory free.
func (l *Log) release() error {
	var err error
	if l.cursor != nil && l.cursor.file != nil {
		err = l.cursor.close()
	}
	return errors.Join(err, l.lock.Close())
}

// entry is a record on its way to the disk.
type entry struct {
	record    journal.Record
	done      chan error  // nil: nobody waits
	abandoned atomic.Bool // who waited has gone and refused the call
}
