package custodysql_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
)

func TestAKeyIsProposedCertifiedConfirmedAndSigns(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for _, algorithm := range []custody.Algorithm{"", custody.ES384, custody.ES512, custody.RS256} {
			key := r.propose(assen, algorithm)
			if key.State != custody.Pending || len(key.ID) != 64 || key.Proposer != anne {
				t.Errorf("proposed: got %+v", key)
			}
			var request []byte
			r.must(func(ctx context.Context, s custodysql.Store) (err error) {
				request, err = r.vault.Request(ctx, s, key.ID, "Gemeente Assen")
				return err
			})
			checkRequest(t, request, key)
			if got := r.issue(key.ID); got.State != custody.Pending || got.Chain == "" || got.Thumbprint == "" {
				t.Errorf("certified: got %+v", got)
			}
			rotation := r.confirm(key.ID)
			if rotation.Key.State != custody.Active || rotation.Key.Confirmer != bert {
				t.Errorf("confirmed: got %+v", rotation.Key)
			}
			content := r.content(r.now.Add(year / 2))
			signature := r.sign(assen, content)
			if signature.Key != key.ID || signature.Thumbprint != rotation.Key.Thumbprint {
				t.Errorf("%s: got %+v, want a signature by %s", algorithm, signature, key.ID)
			}
			signed := (&contract.Contract{Content: content}).With(contract.Accept, assen.String(), signature.JWS)
			if got := r.verify(signed); len(got.Missing) != 1 || got.Missing[0] != emmen.String() {
				t.Errorf("%s: missing %v", algorithm, got.Missing)
			}
		}
	})
}

func checkRequest(t *testing.T, text []byte, key custody.Key) {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		t.Fatalf("got %s", text)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.CheckSignature(); err != nil {
		t.Error(err)
	}
	public, err := x509.MarshalPKIXPublicKey(request.PublicKey)
	if err != nil || string(public) != string(key.Public) {
		t.Errorf("the request is of another key (%v)", err)
	}
	if got, want := request.Subject.String(), "SERIALNUMBER="+assen.String()+",CN=Gemeente Assen,O=Gemeente Assen,C=NL"; got != want {
		t.Errorf("subject: got %s, want %s", got, want)
	}
}

func TestAKeyIsFollowedByAnotherAndItsSignaturesStand(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first := r.rotate(assen)
		content := r.content(r.now.Add(year / 2))
		old := (&contract.Contract{Content: content}).With(contract.Accept, assen.String(), r.sign(assen, content).JWS)
		second := r.propose(assen, "")
		r.issue(second.ID)
		rotation := r.confirm(second.ID)
		if rotation.Replaced == nil || rotation.Replaced.ID != first.ID || r.get(first.ID).State != custody.Replaced {
			t.Errorf("got %+v", rotation)
		}
		evidence, err := json.Marshal(rotation.Evidence())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"person":"anne"`, `"person":"bert"`, `"acr":"substantial"`, `"replaced":"` + first.ID, `"key":"` + second.ID} {
			if !strings.Contains(string(evidence), want) {
				t.Errorf("evidence %s lacks %s", evidence, want)
			}
		}
		r.must(func(ctx context.Context, s custodysql.Store) error {
			_, err := r.vault.Destroy(ctx, s, first.ID)
			return err
		})
		r.verify(old)
		if got := r.get(first.ID); got.State != custody.Destroyed || len(got.Sealed.Text) > 0 || got.Chain == "" || len(got.Public) == 0 {
			t.Errorf("destroyed: got %+v", got)
		}
		if got := r.sign(assen, content).Key; got != second.ID {
			t.Errorf("signed with %s, want %s", got, second.ID)
		}
	})
}

func TestFourEyesSeeEveryKey(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		key := r.propose(assen, "")
		confirm := func(by audit.Actor) error {
			return r.in(func(ctx context.Context, s custodysql.Store) error {
				_, err := r.vault.Confirm(ctx, s, key.ID, by)
				return err
			})
		}
		if err := confirm(bert); !errors.Is(err, custody.ErrUncertified) {
			t.Errorf("without certificate: got %v, want ErrUncertified", err)
		}
		r.issue(key.ID)
		otherClient := anne
		otherClient.Client = "assen-portaal"
		for name, by := range map[string]audit.Actor{"the proposer": anne, "the proposer by another client": otherClient, "a program": {Client: "assen-beheer", Organisation: assen}, "nobody": {}} {
			if err := confirm(by); !errors.Is(err, custody.ErrSamePerson) {
				t.Errorf("%s: got %v, want ErrSamePerson", name, err)
			}
		}
		now := r.now
		r.now = now.Add(2 * year)
		if err := confirm(bert); !errors.Is(err, custody.ErrExpired) {
			t.Errorf("after the certificate's end: got %v, want ErrExpired", err)
		}
		r.now = now
		if err := confirm(bert); err != nil {
			t.Error(err)
		}
		if err := confirm(bert); !errors.Is(err, custody.ErrState) {
			t.Errorf("once more: got %v, want ErrState", err)
		}
	})
}

func TestNoKeyGoesWhereItsStateForbids(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		replaced := r.rotate(assen).ID
		destroyed := r.rotate(assen).ID
		active := r.rotate(assen).ID
		pending := r.propose(assen, "").ID
		acts := map[string]func(ctx context.Context, s custodysql.Store, id string) error{
			"request": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Request(ctx, s, id, "Gemeente Assen")
				return err
			},
			"issue": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Issue(ctx, s, id, "Gemeente Assen", r.issuer, r.anchors)
				return err
			},
			"install": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Install(ctx, s, id, nil, r.anchors)
				return err
			},
			"confirm": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Confirm(ctx, s, id, bert)
				return err
			},
			"retire": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Retire(ctx, s, id)
				return err
			},
			"destroy": func(ctx context.Context, s custodysql.Store, id string) error {
				_, err := r.vault.Destroy(ctx, s, id)
				return err
			},
		}
		r.must(func(ctx context.Context, s custodysql.Store) error { return acts["destroy"](ctx, s, destroyed) })
		for _, tc := range []struct{ state, id, forbidden string }{
			{"pending", pending, "retire"}, {"active", active, "request issue install confirm destroy"},
			{"replaced", replaced, "request issue install confirm retire"}, {"destroyed", destroyed, "request issue install confirm retire destroy"},
		} {
			for _, act := range strings.Fields(tc.forbidden) {
				err := r.in(func(ctx context.Context, s custodysql.Store) error { return acts[act](ctx, s, tc.id) })
				if !errors.Is(err, custody.ErrState) {
					t.Errorf("%s of a key that is %s: got %v, want ErrState", act, tc.state, err)
				}
			}
		}
		for name, act := range acts {
			if err := r.in(func(ctx context.Context, s custodysql.Store) error { return act(ctx, s, "unknown") }); !errors.Is(err, custody.ErrUnknown) {
				t.Errorf("%s of no key: got %v, want ErrUnknown", name, err)
			}
		}
		err := r.in(func(ctx context.Context, s custodysql.Store) error {
			_, err := r.vault.Propose(ctx, s, custody.Proposal{Organisation: assen, Purpose: custody.Contracts, By: anne})
			return err
		})
		if !errors.Is(err, custody.ErrPending) {
			t.Errorf("a second proposal: got %v, want ErrPending", err)
		}
		r.must(func(ctx context.Context, s custodysql.Store) error { return acts["destroy"](ctx, s, pending) })
		r.must(func(ctx context.Context, s custodysql.Store) error { return acts["retire"](ctx, s, active) })
		r.must(func(ctx context.Context, s custodysql.Store) error {
			hosts, err := r.vault.Hosts(ctx, s, assen)
			if hosts {
				t.Error("hosts an organisation whose key was retired")
			}
			return err
		})
	})
}

func TestOnlyTheActiveKeyOfTheOrganisationSigns(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		content := r.content(r.now.Add(year / 2))
		sign := func() error {
			return r.in(func(ctx context.Context, s custodysql.Store) error {
				_, err := r.vault.Sign(ctx, s, assen, content, contract.Accept, r.now)
				return err
			})
		}
		if err := sign(); !errors.Is(err, custody.ErrUnknown) {
			t.Errorf("without key: got %v, want ErrUnknown", err)
		}
		r.rotate(emmen)
		r.issue(r.propose(assen, "").ID)
		if err := sign(); !errors.Is(err, custody.ErrUnknown) {
			t.Errorf("with a pending key: got %v, want ErrUnknown", err)
		}
		r.must(func(ctx context.Context, s custodysql.Store) error {
			k, err := s.In(ctx, assen, custody.Contracts, custody.Pending)
			if err == nil {
				_, err = r.vault.Confirm(ctx, s, k.ID, bert)
			}
			return err
		})
		if err := sign(); err != nil {
			t.Error(err)
		}
		r.now = r.now.Add(2 * year)
		if err := sign(); !errors.Is(err, custody.ErrExpired) {
			t.Errorf("after the certificate's end: got %v, want ErrExpired", err)
		}
		r.now = r.now.Add(-4 * year)
		if err := sign(); !errors.Is(err, custody.ErrExpired) {
			t.Errorf("before the certificate's beginning: got %v, want ErrExpired", err)
		}
	})
}

func TestTheHubSignsItsCheckpoints(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var signed string
		r.must(func(ctx context.Context, s custodysql.Store) error {
			key, err := r.vault.Propose(ctx, s, custody.Proposal{Organisation: hub, Purpose: custody.Checkpoints, By: anne})
			if err != nil {
				return err
			}
			if _, err := r.vault.Confirm(ctx, s, key.ID, bert); err != nil {
				return err
			}
			hand, err := r.vault.HubKey(ctx, s, hub, custody.Checkpoints)
			if err != nil {
				return err
			}
			signer, err := merkle.NewSigner("hub.example.nl/beheer/audit", hand)
			if err != nil {
				return err
			}
			signed, err = signer.Sign(merkle.Frontier{})
			return err
		})
		if !strings.HasPrefix(signed, "hub.example.nl/beheer/audit\n0\n") {
			t.Errorf("got %s", signed)
		}
		r.must(func(ctx context.Context, s custodysql.Store) error {
			if _, err := r.vault.HubKey(ctx, s, hub, custody.Contracts); err == nil {
				t.Error("a key of contracts signs anything")
			}
			for _, p := range []custody.Proposal{
				{Organisation: hub, Purpose: "other"}, {Organisation: hub, Purpose: custody.Snapshots, Algorithm: custody.RS256}, {Organisation: "x", Purpose: custody.Contracts},
			} {
				if _, err := r.vault.Propose(ctx, s, p); err == nil {
					t.Errorf("accepted %+v", p)
				}
			}
			return nil
		})
	})
}

func TestASignerShowsAndGivesNoKey(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.rotate(assen)
		r.must(func(ctx context.Context, s custodysql.Store) error {
			signer, err := r.vault.Signer(ctx, s, assen, r.now)
			if err != nil {
				return err
			}
			switch signer.Key.(type) {
			case *ecdsa.PrivateKey, *rsa.PrivateKey:
				t.Error("the private key was given out")
			}
			if _, err := x509.MarshalPKCS8PrivateKey(signer.Key); err == nil {
				t.Error("the private key can be written")
			}
			_, err = contract.Sign(signer, r.content(r.now.Add(year/2)), contract.Accept, r.now)
			return err
		})
	})
}

// halted is a transaction whose process dies after so many statements.
type halted struct {
	*sql.Tx
	left int
}

var errHalted = errors.New("the process died here")

func (h *halted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if h.left == 0 {
		return nil, errHalted
	}
	h.left--
	return h.Tx.ExecContext(ctx, query, args...)
}

func TestADeathHalfwayARotationLeavesTheOldKeyActive(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		old := r.rotate(assen)
		fresh := r.propose(assen, "")
		r.issue(fresh.ID)
		for statements := 0; ; statements++ {
			err := r.db.Tx(t.Context(), func(tx *sql.Tx) error {
				_, err := r.vault.Confirm(t.Context(), custodysql.In(&halted{tx, statements}), fresh.ID, bert)
				return err
			})
			if err == nil {
				break
			}
			if !errors.Is(err, errHalted) || statements > 5 {
				t.Fatal(err)
			}
			if got := r.sign(assen, r.content(r.now.Add(year/2))).Key; got != old.ID {
				t.Fatalf("after %d statements %s signs, want %s", statements, got, old.ID)
			}
		}
		if got := r.sign(assen, r.content(r.now.Add(year/2))).Key; got != fresh.ID {
			t.Errorf("%s signs, want %s", got, fresh.ID)
		}
	})
}

func TestOfTwoAtOnceOneIsProposed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				errs <- r.in(func(ctx context.Context, s custodysql.Store) error {
					_, err := r.vault.Propose(ctx, s, custody.Proposal{Organisation: assen, Purpose: custody.Contracts, By: anne})
					return err
				})
			}()
		}
		good := 0
		for range 3 {
			switch err := <-errs; {
			case err == nil:
				good++
			case !errors.Is(err, custody.ErrPending) && !errors.Is(err, custody.ErrChanged):
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d were proposed, want 1", good)
		}
	})
}

func TestEndingCertificatesAreDue(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.rotate(assen)
		r.issuer = r.issuerOf(10 * 24 * time.Hour)
		short := r.rotate(emmen)
		for within, want := range map[time.Duration][]string{5 * 24 * time.Hour: nil, 30 * 24 * time.Hour: {short.ID}} {
			var got []string
			r.must(func(ctx context.Context, s custodysql.Store) error {
				due, err := r.vault.Due(ctx, s, within)
				for _, k := range due {
					got = append(got, k.ID)
				}
				return err
			})
			if !slices.Equal(got, want) {
				t.Errorf("within %s: got %v, want %v", within, got, want)
			}
		}
	})
}

var _ custody.Store = custodysql.Store{}
