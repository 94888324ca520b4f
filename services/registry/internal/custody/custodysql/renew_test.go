package custodysql_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
)

// shelf keeps contracts, and dies after so many are stored.
type shelf struct {
	contracts map[string]*contract.Contract
	puts      []string
	left      int
}

func (s *shelf) SignedBy(_ context.Context, organisation oin.OIN) ([]*contract.Contract, error) {
	var all []*contract.Contract
	for _, c := range s.contracts {
		if c.Signed(contract.Accept, organisation.String()) {
			all = append(all, c)
		}
	}
	return all, nil
}

func (s *shelf) Put(_ context.Context, c *contract.Contract) error {
	if s.left == 0 {
		return errHalted
	}
	s.left--
	s.puts = append(s.puts, c.Content.Hash())
	s.contracts[c.Content.Hash()] = c
	return nil
}

// fill makes contracts that both organisations signed: so many that live, and others that are over.
func (r *rig) fill(live int) (s *shelf, hashes []string) {
	r.t.Helper()
	s = &shelf{contracts: map[string]*contract.Contract{}, left: -1}
	add := func(till time.Time) *contract.Contract {
		c := &contract.Contract{Content: r.content(till)}
		for _, o := range []oin.OIN{assen, emmen} {
			c = c.With(contract.Accept, o.String(), r.sign(o, c.Content).JWS)
		}
		s.contracts[c.Content.Hash()] = c
		return c
	}
	for n := range live {
		hashes = append(hashes, add(r.now.Add(time.Duration(n+100)*24*time.Hour)).Content.Hash())
	}
	add(r.now.Add(24 * time.Hour)) // ends before the renewal
	revoked := add(r.now.Add(year))
	s.contracts[revoked.Content.Hash()] = revoked.With(contract.Revoke, emmen.String(), "whatever")
	others := &contract.Contract{Content: r.content(r.now.Add(year))}
	s.contracts[others.Content.Hash()] = others.With(contract.Accept, emmen.String(), r.sign(emmen, others.Content).JWS)
	return s, hashes
}

func (r *rig) resign(s *shelf) (done []string, err error) {
	err = r.in(func(ctx context.Context, keys custodysql.Store) (err error) {
		done, err = r.vault.Resign(ctx, keys, s, assen)
		return err
	})
	return done, err
}

func (r *rig) touches(s *shelf) (list []custody.Touched) {
	r.t.Helper()
	r.must(func(ctx context.Context, keys custodysql.Store) (err error) {
		list, err = r.vault.Touches(ctx, keys, s, assen)
		return err
	})
	return list
}

func TestRenewingSignsTheSameContentsAnewHoweverOftenItIsStopped(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first := r.rotate(assen)
		r.rotate(emmen)
		s, hashes := r.fill(4)
		r.now = r.now.Add(48 * time.Hour)
		touched := r.touches(s)
		if len(touched) != 4 || !touched[0].Done || touched[0].Hash != hashes[0] || touched[0].Thumbprint != first.Thumbprint {
			t.Fatalf("touches %+v", touched)
		}
		if done, err := r.resign(s); err != nil || len(done) > 0 {
			t.Fatalf("before the renewal: signed %v, %v", done, err)
		}
		second := r.rotate(assen)
		if touched := r.touches(s); slices.ContainsFunc(touched, func(c custody.Touched) bool { return c.Done }) {
			t.Errorf("after the renewal: touches %+v", touched)
		}
		for deaths := 0; ; deaths++ {
			s.left = 1
			_, err := r.resign(s)
			if err == nil {
				break
			}
			if !errors.Is(err, errHalted) || deaths > 10 {
				t.Fatal(err)
			}
		}
		if !slices.Equal(s.puts, hashes) {
			t.Errorf("signed %v, want each of %v once", s.puts, hashes)
		}
		for _, c := range r.touches(s) {
			if !c.Done || c.Thumbprint != second.Thumbprint {
				t.Errorf("left over: %+v", c)
			}
		}
		for _, hash := range hashes {
			got := r.verify(s.contracts[hash])
			if len(got.Missing) > 0 || got.State(r.now) != contract.Valid {
				t.Errorf("contract %s is %s, %v is missing", hash, got.State(r.now), got.Missing)
			}
		}
	})
}

func TestRenewingRevivesWhatACertificateEnded(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.rotate(emmen)
		r.issuer = r.issuerOf(110 * 24 * time.Hour)
		r.rotate(assen)
		s, hashes := r.fill(20)
		last := hashes[19]
		r.now = r.now.Add(115 * 24 * time.Hour)
		if got := r.verify(s.contracts[last]).State(r.now); got != contract.Expired {
			t.Fatalf("got %s, want EXPIRED", got)
		}
		r.issuer = r.issuerOf(year)
		r.rotate(assen)
		if _, err := r.resign(s); err != nil {
			t.Fatal(err)
		}
		if got := r.verify(s.contracts[last]).State(r.now); got != contract.Valid {
			t.Errorf("got %s, want VALID", got)
		}
	})
}

func TestWithoutActiveKeyNothingIsRenewed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		if _, err := r.resign(&shelf{}); !errors.Is(err, custody.ErrUnknown) {
			t.Errorf("got %v, want ErrUnknown", err)
		}
	})
}
