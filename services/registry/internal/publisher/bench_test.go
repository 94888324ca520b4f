package publisher_test

import (
	"flag"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
	"noorderhub.nl/hub/services/registry/internal/store"
	"noorderhub.nl/hub/services/registry/internal/store/storetest"
)

var times = flag.Int("hub-times", 1, "how many times 100 services and 4000 contracts BenchmarkHub has")

// BenchmarkHub measures a registry of 400 clients with 4000 contracts, on SQLite: one act until it is in force, and a start
// with everything in the store. It is what the limits of the control plane are held against.
func BenchmarkHub(b *testing.B) {
	w := newWorld(b)
	w.region = regiontest.Large(b, *times)
	db, err := sqldb.Open(b.Context(), sqldbtest.SQLite(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	st, err := store.New(b.Context(), db, storetest.Log(b))
	if err != nil {
		b.Fatal(err)
	}
	w.options.Region, w.options.Store, w.options.Announce = w.region.File(), st, nil
	w.options.Logger = slog.New(slog.DiscardHandler)
	p := w.publisher(b)
	oin := directory.All[*directory.Organisation](p.State().Directory)[3].OIN
	b.Run("act", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			_, err := p.Do(b.Context(), act, func(c *publisher.Change) error {
				o := *c.Before.Organisation(oin)
				o.Name = fmt.Sprintf("Gemeente %d", i)
				c.Put(&o)
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("start", func(b *testing.B) {
		var restored time.Duration
		for b.Loop() {
			began := time.Now()
			if _, err := publisher.Restore(b.Context(), w.options); err != nil {
				b.Fatal(err)
			}
			restored = time.Since(began)
		}
		b.ReportMetric(float64(restored.Milliseconds()), "ms-last")
	})
}
