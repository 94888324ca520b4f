package stand

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"noorderhub.nl/hub/services/address/internal/bag"
)

// Names in the folder of a store.
const (
	pointerName = "CURRENT" // first line: the file in use; second line: the one before
	lockName    = "LOCK"
	suffix      = ".stand"
	scratch     = "import-"
)

// ErrNone is what a store without any stand gives.
var ErrNone = errors.New("no stand has been imported yet")

// Store is a folder with stands, of which one is in use and one is kept for rollback.
type Store struct {
	dir     string
	current atomic.Pointer[Stand]
	mu      sync.Mutex // of swapping
}

// OpenStore opens a folder, making it where needed. Reload takes the stand in use that it names.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	return &Store{dir: dir}, nil
}

// Acquire gives the stand in use. The caller releases it.
func (s *Store) Acquire() (*Stand, error) {
	for {
		st := s.current.Load()
		if st == nil {
			return nil, ErrNone
		}
		if st.Acquire() { // fails when it was swapped out between the two lines
			return st, nil
		}
	}
}

// Reload maps the stand that the folder names as current, when it is another than the one in use. Calls in flight keep
// the old one until they are done.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, _, err := s.pointer()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, name)
	if old := s.current.Load(); old != nil && old.path == path {
		return nil
	}
	st, err := Open(path)
	if err != nil {
		return err
	}
	if old := s.current.Swap(st); old != nil {
		old.Release()
	}
	return nil
}

// Close lets go of the stand in use.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.current.Swap(nil); old != nil {
		old.Release()
	}
	return nil
}

func (s *Store) pointer() (current, previous string, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, pointerName))
	if errors.Is(err, os.ErrNotExist) {
		return "", "", ErrNone
	}
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) == 1 {
		lines = append(lines, "")
	}
	for _, name := range lines {
		if len(lines) != 2 || name != filepath.Base(filepath.Clean("/"+name)) && name != "" {
			return "", "", fmt.Errorf("%s in %s is damaged", pointerName, s.dir)
		}
	}
	return lines[0], lines[1], nil
}

// point makes a file the current one, atomically, and removes files that are neither it nor its predecessor.
func (s *Store) point(current, previous string) error {
	path := filepath.Join(s.dir, pointerName)
	f, err := os.CreateTemp(s.dir, scratch+"*")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\n%s\n", current, previous)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, suffix) && name != current && name != previous {
			err = errors.Join(err, os.Remove(filepath.Join(s.dir, name))) // a mapping of it lives on
		}
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Import makes one stand of the extracts at paths and takes it in use. The extracts must be of the same day; objects that
// stand in several of them are kept once. When the stand in use was made of the same extracts nothing happens. On any
// error the stand in use stays what it was, and nothing of the import remains.
func (s *Store) Import(ctx context.Context, paths ...string) (Manifest, error) {
	unlock, err := s.lock()
	if err != nil {
		return Manifest{}, err
	}
	defer unlock()
	_ = s.Reload() // a stand that cannot be read, of an older format or damaged, is what an import replaces
	extracts, err := openAll(ctx, paths)
	defer closeAll(extracts)
	if err != nil {
		return Manifest{}, err
	}
	var sums []string
	for _, x := range extracts {
		sums = append(sums, hex.EncodeToString(x.SHA256[:]))
	}
	if st := s.current.Load(); st != nil {
		if st.madeOf(sums) {
			return st.Manifest, nil
		}
		if err := notOlder(extracts, st); err != nil {
			return Manifest{}, err
		}
	}
	return s.build(ctx, extracts, sums)
}

func openAll(ctx context.Context, paths []string) ([]*bag.Extract, error) {
	var extracts []*bag.Extract
	if len(paths) == 0 {
		return nil, errors.New("no extract to import")
	}
	for _, path := range paths {
		x, err := bag.Open(ctx, path)
		if err != nil {
			return extracts, err
		}
		extracts = append(extracts, x)
		if first := extracts[0]; x.Date != first.Date {
			return extracts, fmt.Errorf("%s is a stand of %s and %s of %s: only stands of one day make a whole", first.Name, first.Date, x.Name, x.Date)
		}
	}
	return extracts, nil
}

func closeAll(extracts []*bag.Extract) {
	for _, x := range extracts {
		_ = x.Close() // only read from
	}
}

func areas(extracts []*bag.Extract) []string {
	var all []string
	for _, x := range extracts {
		if len(x.Areas) == 0 {
			return nil // the whole country
		}
		all = append(all, x.Areas...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// notOlder refuses an extract of the same area that is older than what is in use: going back is a rollback.
func notOlder(extracts []*bag.Extract, st *Stand) error {
	if date := extracts[0].Date; date < st.StandDate() && slices.Equal(areas(extracts), st.Areas) {
		return fmt.Errorf("%s is a stand of %s, older than the one in use of %s", extracts[0].Name, date, st.Date)
	}
	return nil
}

func (s *Store) build(ctx context.Context, extracts []*bag.Extract, sums []string) (m Manifest, err error) {
	dir, err := os.MkdirTemp(s.dir, scratch)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := newBuilder(dir)
	defer b.closePiles()
	b.manifest.Date = extracts[0].Date.String()
	b.manifest.Areas = areas(extracts)
	for i, x := range extracts {
		b.manifest.Sources = append(b.manifest.Sources, Source{x.Name, sums[i], x.Size})
		if err := x.Read(ctx, b); err != nil {
			return m, err
		}
	}
	fresh := filepath.Join(dir, "new"+suffix)
	if err := b.write(fresh); err != nil {
		return m, err
	}
	if err := check(ctx, fresh); err != nil {
		return m, err
	}
	return s.adopt(fresh, fmt.Sprintf("%s-%x%s", b.manifest.Date, time.Now().UnixNano(), suffix))
}

// check opens a fresh file and verifies all of it.
func check(ctx context.Context, path string) error {
	st, err := Open(path)
	if err != nil {
		return err
	}
	defer st.Release()
	return st.Verify(ctx)
}

// adopt moves a verified file into the folder and takes it in use.
func (s *Store) adopt(fresh, name string) (Manifest, error) {
	previous, _, err := s.pointer()
	if err != nil && !errors.Is(err, ErrNone) {
		return Manifest{}, err
	}
	if err := os.Rename(fresh, filepath.Join(s.dir, name)); err != nil {
		return Manifest{}, err
	}
	if err := errors.Join(s.point(name, previous), s.Reload()); err != nil {
		return Manifest{}, err
	}
	return s.Manifest()
}

// lock keeps other imports into the same folder out, of this process and of others.
func (s *Store) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another import into %s is running: %w", s.dir, err), f.Close())
	}
	s.sweep()
	return func() { _ = f.Close() }, nil // closing unlocks
}

// sweep removes what an import left behind that was killed.
func (s *Store) sweep() {
	left, _ := filepath.Glob(filepath.Join(s.dir, scratch+"*")) // the pattern is well formed
	for _, path := range left {
		_ = os.RemoveAll(path) // the next import tries again
	}
}

// Rollback takes the stand before the current one in use again.
func (s *Store) Rollback() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	current, previous, err := s.pointer()
	if err != nil {
		return err
	}
	if previous == "" {
		return errors.New("there is no earlier stand to go back to")
	}
	if err := s.point(previous, current); err != nil {
		return err
	}
	return s.Reload()
}

// Manifest gives what the stand in use holds, ErrNone without one.
func (s *Store) Manifest() (Manifest, error) {
	st, err := s.Acquire()
	if err != nil {
		return Manifest{}, err
	}
	defer st.Release()
	return st.Manifest, nil
}
