package txlog

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	journal "noorderhub.nl/hub/services/journal/api"
)

// segment is one file of the log. Its name is the sequence of its first record, in 20 digits.
type segment struct {
	first uint64
	path  string
	end   int64 // bytes that are synced
}

const (
	segmentSuffix = ".log"
	tornSuffix    = ".torn"
	fileMode      = 0o600
	maxName       = 40
)

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// lockDir keeps a second gateway off the directory for as long as this process lives.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the directory is in use by another gateway: %w", err), f.Close())
	}
	return f, nil
}

var unsafeInName = regexp.MustCompile(`[^a-z0-9-]+`)

// loadID reads the gateway's id, or makes one for a directory that is fresh. The random part keeps a gateway that lost
// its volume from giving out record ids that the journal already knows.
func loadID(dir, name string, fresh bool) (string, error) {
	path := filepath.Join(dir, "id")
	text, err := os.ReadFile(path)
	if err == nil {
		id := strings.TrimSpace(string(text))
		if id == "" || unsafeInName.MatchString(id) {
			return "", fmt.Errorf("%s does not hold a gateway id", path)
		}
		return id, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if !fresh { // its records are another id's: under a new one they would be nobody's
		return "", fmt.Errorf("%s is lost; the segments beside it name the gateway id it must hold", path)
	}
	var random [6]byte
	_, _ = rand.Read(random[:])
	name = strings.Trim(unsafeInName.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if name == "" {
		name = "gateway"
	}
	id := name[:min(len(name), maxName)] + "-" + hex.EncodeToString(random[:])
	return id, writeFile(path, []byte(id+"\n"))
}

// writeFile replaces a file so that a crash leaves the old content or the new one.
func writeFile(path string, content []byte) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// open starts a segment. One of the same name can only be left from a failed attempt and holds nothing durable.
func (w *writer) open(first uint64) error {
	path := segmentPath(w.opts.Dir, first)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	if err := syncDir(w.opts.Dir); err != nil {
		return errors.Join(err, f.Close())
	}
	w.file, w.offset, w.bytes = f, 0, 0
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.segments); n > 0 && w.segments[n-1].first == first {
		w.segments[n-1].end = 0
	} else {
		w.segments = append(w.segments, segment{first: first, path: path})
	}
	return nil
}

// advance tells the shipper that more is durable.
func (l *Log) advance(to position, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments[len(l.segments)-1].end = end
	l.synced.Store(to.Sequence)
	close(l.advanced)
	l.advanced = make(chan struct{})
}

// recover reads the directory and gives a writer that goes on where the log ended. It changes nothing that is there
// before every check has passed.
func (l *Log) recover() (*writer, error) {
	var err error
	if l.segments, err = listSegments(l.opts.Dir); err != nil {
		return nil, err
	}
	if l.id, err = loadID(l.opts.Dir, l.opts.Name, len(l.segments) == 0); err != nil {
		return nil, err
	}
	if l.cursor, err = openCursor(l.opts.Dir); err != nil {
		return nil, err
	}
	l.shipped = l.cursor.slot.Position
	if l.shipped.Hash == "" { // nothing is noted: ship everything that is here
		l.shipped = position{Hash: journal.Genesis}
		if len(l.segments) > 0 && l.segments[0].first > 1 {
			l.shipped = position{Sequence: l.segments[0].first - 1}
		}
	}
	at := l.shipped
	var torn []byte
	for i := range l.segments {
		s := &l.segments[i]
		if i == 0 && s.first <= at.Sequence {
			at = before(s.first) // shipped in part
		}
		last := i == len(l.segments)-1
		limit := uint64(0)
		if !last {
			limit = l.segments[i+1].first - 1
		}
		if at, torn, err = l.recoverSegment(s, at, limit, last); err != nil {
			return nil, err
		}
		l.size.Add(s.end)
	}
	if at.Sequence < l.shipped.Sequence {
		return nil, fmt.Errorf("the log ends at record %d but %d was shipped", at.Sequence, l.shipped.Sequence)
	}
	if at.Hash == "" {
		return nil, fmt.Errorf("%s is lost and no record is left to go on from", cursorName)
	}
	if n := len(l.segments); n > 0 {
		if err := l.settle(&l.segments[n-1], torn); err != nil {
			return nil, err
		}
	}
	l.synced.Store(at.Sequence)
	return &writer{Log: l, tail: at, good: at}, nil
}

// before is the position before a segment's first record. That record says what it follows, unless it is the very first.
func before(first uint64) position {
	if first == 1 {
		return position{Hash: journal.Genesis}
	}
	return position{Sequence: first - 1}
}

// recoverSegment follows the chain through one file, up to record limit (0: to the end). In the last file the chain may
// break off: rest is then what follows. A crash tears only what was not synced, the end; where a whole record follows the
// break, what breaks the chain was perhaps answered, and no program may decide to drop it.
func (l *Log) recoverSegment(s *segment, at position, limit uint64, last bool) (_ position, rest []byte, err error) {
	if s.first != at.Sequence+1 {
		return at, nil, fmt.Errorf("%s: records %d to %d are missing", s.path, at.Sequence+1, s.first-1)
	}
	content, err := os.ReadFile(s.path)
	if err != nil {
		return at, nil, err
	}
	rest = content
	for limit == 0 || at.Sequence < limit {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		next, ok := l.follow(line, at)
		if !whole || !ok {
			break
		}
		at, rest = next, after
	}
	s.end = int64(len(content) - len(rest))
	switch {
	case !last && at.Sequence != limit:
		return at, nil, fmt.Errorf("%s: the chain breaks at byte %d, before record %d", s.path, s.end, limit)
	case !last:
		return at, nil, nil
	}
	if r, ok := firstRecord(rest); ok {
		return at, nil, fmt.Errorf("%s: the chain breaks at byte %d, where record %d belongs, but record %d follows: not a torn end",
			s.path, s.end, at.Sequence+1, r)
	}
	return at, rest, nil
}

// firstRecord finds the first whole record in what follows a break, whatever chain it belongs to.
func firstRecord(rest []byte) (sequence uint64, found bool) {
	for {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			return 0, false
		}
		if r, ok := parseHead(line); ok {
			return r.ID.Sequence, true
		}
		rest = after
	}
}

// settle makes the last segment end with its last record, durably: what a crash of the process alone left was perhaps
// never synced. A torn end is kept in a file of its own, as evidence.
func (l *Log) settle(s *segment, torn []byte) error {
	if len(torn) > 0 {
		l.opts.Logger.WarnContext(context.Background(), "torn end of the transaction log set aside", "segment", s.path, "offset", s.end, "bytes", len(torn))
		if err := writeFile(fmt.Sprintf("%s.%d%s", s.path, s.end, tornSuffix), torn); err != nil {
			return err
		}
		if err := os.Truncate(s.path, s.end); err != nil {
			return err
		}
	}
	return syncFile(s.path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// head is what a record says of its place in the chain.
type head struct {
	ID struct {
		Gateway  string `json:"gateway"`
		Sequence uint64 `json:"sequence"`
	} `json:"recordId"`
	Previous string `json:"previous"`
}

func parseHead(line []byte) (r head, ok bool) {
	err := json.Unmarshal(line, &r)
	return r, err == nil && r.ID.Gateway != "" && r.ID.Sequence > 0
}

// follow checks that line is the record after at.
func (l *Log) follow(line []byte, at position) (position, bool) {
	r, ok := parseHead(line)
	if !ok || r.ID.Gateway != l.id || r.ID.Sequence != at.Sequence+1 {
		return at, false
	}
	if at.Hash != "" && r.Previous != at.Hash {
		return at, false
	}
	return position{Sequence: r.ID.Sequence, Hash: journal.Hash(line)}, true
}

func listSegments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		if !ok {
			continue
		}
		first, err := strconv.ParseUint(name, 10, 64)
		if err != nil || first == 0 || len(name) != 20 {
			return nil, fmt.Errorf("%s is not a segment of the log", e.Name())
		}
		segments = append(segments, segment{first: first, path: filepath.Join(dir, e.Name())})
	}
	slices.SortFunc(segments, func(a, b segment) int { return strings.Compare(a.path, b.path) })
	return segments, nil
}
