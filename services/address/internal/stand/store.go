package stand

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
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
	// Warn is told what went wrong without any harm to the stand in use; nil: nobody is.
	Warn func(context.Context, error)

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
		if len(lines) != 2 || lines[0] == "" || name != filepath.Base(filepath.Clean("/"+name)) && name != "" {
			return "", "", fmt.Errorf("%s in %s is damaged", pointerName, s.dir)
		}
	}
	return lines[0], lines[1], nil
}

// point makes a file the current one, atomically. From then on nothing but opening it can fail.
func (s *Store) point(ctx context.Context, current, previous string) error {
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
	if err := errors.Join(syncDir(s.dir), s.tidy(current, previous)); err != nil && s.Warn != nil {
		s.Warn(ctx, err)
	}
	return nil
}

// tidy removes stands that are neither current nor previous. What it leaves behind the next import removes.
func (s *Store) tidy(current, previous string) error {
	entries, err := os.ReadDir(s.dir)
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

// Rollback takes the stand before the current one in use again, when it is whole.
func (s *Store) Rollback(ctx context.Context) (Manifest, error) {
	unlock, err := s.lock()
	if err != nil {
		return Manifest{}, err
	}
	defer unlock()
	current, previous, err := s.pointer()
	if err != nil {
		return Manifest{}, err
	}
	if previous == "" {
		return Manifest{}, errors.New("there is no earlier stand to go back to")
	}
	if err := check(ctx, filepath.Join(s.dir, previous)); err != nil {
		return Manifest{}, err
	}
	if err := s.point(ctx, previous, current); err != nil {
		return Manifest{}, err
	}
	if err := s.Reload(); err != nil {
		return Manifest{}, err
	}
	return s.Manifest()
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
