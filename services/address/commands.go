package address

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"noorderhub.nl/hub/services/address/internal/stand"
)

// Import makes a stand of extracts in the folder of cfg, as `address import` does, and says on w what it holds. A running
// service takes the stand in use within seconds. A stand in use that is damaged is made again of the same extracts.
func Import(ctx context.Context, cfg Config, w io.Writer, paths ...string) error {
	return onStore(cfg, w, func(s *stand.Store) (stand.Manifest, error) { return s.Import(ctx, paths...) })
}

// Rollback takes the stand before the one in use again, as `address rollback` does, and says on w what it holds. A running
// service follows within seconds. Twice is back where it began. A stand that is damaged is not gone back to.
func Rollback(ctx context.Context, cfg Config, w io.Writer) error {
	return onStore(cfg, w, func(s *stand.Store) (stand.Manifest, error) { return s.Rollback(ctx) })
}

// onStore changes which stand is in use and reports on it.
func onStore(cfg Config, w io.Writer, change func(*stand.Store) (stand.Manifest, error)) error {
	store, err := stand.OpenStore(cfg.Data)
	if err != nil {
		return err
	}
	store.Warn = func(_ context.Context, err error) { fmt.Fprintf(w, "warning: %v\n", err) }
	m, err := change(store)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	fmt.Fprintf(w, "stand %s\n", m.Date)
	var codes []string
	for code := range m.Counts {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		c := m.Counts[code]
		fmt.Fprintf(w, "%s %d objects, %d occurrences\n", code, c.Objects, c.Occurrences)
	}
	return store.Close()
}
