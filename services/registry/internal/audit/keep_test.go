package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/libs/merkle"
)

// growing is a store whose log has one record more whenever it is looked at, until it breaks.
type growing struct {
	Store
	tree   merkle.Frontier
	newest Checkpoint
	nodes  []merkle.Hash
	signed atomic.Int64 // records
}

func (g *growing) Tree(context.Context) (merkle.Frontier, error) {
	var fresh []merkle.Hash
	g.tree, fresh = g.tree.Append(merkle.Leaf(merkle.NewSalt(), nil))
	g.nodes = append(g.nodes, fresh...)
	return g.tree, nil
}

func (g *growing) Newest(context.Context) (Checkpoint, error) { return g.newest, nil }

func (g *growing) AddCheckpoint(_ context.Context, c Checkpoint) error {
	g.newest = c
	g.signed.Store(c.Size)
	return nil
}

func (g *growing) Nodes(_ context.Context, positions []int64) ([]merkle.Hash, error) {
	var out []merkle.Hash
	for _, p := range positions {
		out = append(out, g.nodes[p])
	}
	return out, nil
}

func TestTheLogIsSignedAtTimesAndAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		signer, errSigner := merkle.NewSigner("log", private)
		keys, errKeys := merkle.NewKeys("log", public)
		log, errLog := New(Options{Signer: signer, Keys: keys, Now: time.Now})
		if err := errors.Join(errSigner, errKeys, errLog); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		store, away := &growing{}, &atomic.Bool{}
		tx := func(ctx context.Context, fn func(Store) error) error {
			if ctx.Err() != nil || away.Load() {
				return errors.New("database is away")
			}
			return fn(store)
		}
		var out strings.Builder
		done := make(chan struct{})
		go func() {
			log.Keep(ctx, time.Minute, tx, slog.New(slog.NewTextHandler(&out, nil)))
			close(done)
		}()
		expect := func(what string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := store.signed.Load(); got != want {
				t.Errorf("%s: got a checkpoint of %d records, want %d", what, got, want)
			}
		}
		expect("at the start", 0)
		time.Sleep(61 * time.Second)
		expect("after a minute", 1)
		away.Store(true)
		time.Sleep(time.Minute)
		expect("with the database away", 1)
		away.Store(false)
		stop()
		<-done
		expect("at the stop", 2)
		if got := out.String(); strings.Count(got, "audit log signed") != 2 || strings.Count(got, "audit log not signed") != 1 {
			t.Errorf("logged %s", got)
		}
	})
}
