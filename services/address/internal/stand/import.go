package stand

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"noorderhub.nl/hub/services/address/internal/bag"
)

// Import makes one stand of the extracts at paths and takes it in use. The extracts must be of the same day; objects that
// stand in several of them are kept once. When the stand in use was made of the same extracts and is whole, nothing
// happens. On any error the stand in use stays what it was, and nothing of the import remains.
func (s *Store) Import(ctx context.Context, paths ...string) (Manifest, error) {
	unlock, err := s.lock()
	if err != nil {
		return Manifest{}, err
	}
	defer unlock()
	extracts, err := openAll(ctx, paths)
	defer closeAll(extracts)
	if err != nil {
		return Manifest{}, err
	}
	var sums []string
	for _, x := range extracts {
		sums = append(sums, hex.EncodeToString(x.SHA256[:]))
	}
	current, keep, err := s.pointer() // keep: what a rollback shall go back to
	if err == nil {
		err = s.Reload()
	}
	if err == nil { // else it cannot be read, of an older format or damaged: that is what an import replaces
		st, err := s.Acquire()
		if err != nil {
			return Manifest{}, err
		}
		defer st.Release()
		damage := st.Verify(ctx)
		switch {
		case ctx.Err() != nil:
			return Manifest{}, ctx.Err()
		case damage != nil: // replaced as well
		case st.madeOf(sums):
			return st.Manifest, nil
		default:
			if err := notOlder(extracts, st); err != nil {
				return Manifest{}, err
			}
			keep = current
		}
	}
	return s.build(ctx, extracts, sums, keep)
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

// build makes a stand of extracts and takes it in use, with keep as the one before it.
func (s *Store) build(ctx context.Context, extracts []*bag.Extract, sums []string, keep string) (m Manifest, err error) {
	dir, err := os.MkdirTemp(s.dir, scratch)
	if err != nil {
		return m, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays behind the next import sweeps
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
	return s.adopt(ctx, fresh, fmt.Sprintf("%s-%x%s", b.manifest.Date, time.Now().UnixNano(), suffix), keep)
}

// check opens a file and verifies all of it.
func check(ctx context.Context, path string) error {
	st, err := Open(path)
	if err != nil {
		return err
	}
	defer st.Release()
	return st.Verify(ctx)
}

// adopt moves a verified file into the folder and takes it in use.
func (s *Store) adopt(ctx context.Context, fresh, name, previous string) (Manifest, error) {
	if err := os.Rename(fresh, filepath.Join(s.dir, name)); err != nil {
		return Manifest{}, err
	}
	if err := s.point(ctx, name, previous); err != nil {
		return Manifest{}, errors.Join(err, os.Remove(filepath.Join(s.dir, name)))
	}
	if err := s.Reload(); err != nil {
		return Manifest{}, err
	}
	return s.Manifest()
}
