package auditsql_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/audit/auditsql"
)

func TestRecordsComeBackAsTheyWereLogged(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		logged := r.append(signed(1), signed(2))
		logged = append(logged, r.append(audit.Record{
			Actor: audit.Actor{Part: "registry"}, Act: audit.SnapshotPublish, Subject: audit.Subject{Kind: "snapshot", ID: "1.2"}, Outcome: audit.Succeeded,
		})...)
		if logged[0].Sequence != 1 || logged[2].Sequence != 3 || logged[0].ID == logged[1].ID || logged[0].At.IsZero() {
			t.Errorf("got %+v", logged)
		}
		want := []audit.Record{logged[2], logged[1], logged[0]}
		if diff := cmp.Diff(want, r.list(audit.Filter{}).Records); diff != "" {
			t.Errorf("listed otherwise than logged (-want +got):\n%s", diff)
		}
		r.sound(3, 3, "[]")
	})
}

func TestAnEmptyLogIsSound(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.sound(0, 0, "[]")
		if c := r.checkpoint(); c.Size != 0 {
			t.Errorf("signed a log of nothing: %+v", c)
		}
		if n := r.purge(start); n != 0 {
			t.Errorf("removed %d", n)
		}
		r.sound(0, 0, "[]")
	})
}

func TestARecordIsFoundByWhatItSays(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		other := signed(2)
		other.Actor = audit.Actor{Client: "emmen-ict", Organisation: emmen}
		other.Act, other.Subject, other.Organisations = audit.ClientPut, audit.Subject{Kind: "client", ID: "emmen-1"}, []oin.OIN{emmen}
		other.Outcome, other.Reason = audit.Refused, "four-eyes"
		both := signed(3)
		both.Organisations = []oin.OIN{assen, emmen}
		r.append(signed(1), other, both)
		at := start.Add(2 * time.Minute) // of the second
		for name, tc := range map[string]struct {
			filter audit.Filter
			want   string
		}{
			"all":                    {audit.Filter{}, "[3 2 1]"},
			"what assen may read":    {audit.Filter{Reader: assen}, "[3 1]"},
			"what emmen may read":    {audit.Filter{Reader: emmen}, "[3 2]"},
			"what a stranger may":    {audit.Filter{Reader: "00000099000000009000"}, "[]"},
			"by act":                 {audit.Filter{Act: audit.ClientPut}, "[2]"},
			"by outcome":             {audit.Filter{Outcome: audit.Refused}, "[2]"},
			"by person":              {audit.Filter{Person: "a.jansen"}, "[3 1]"},
			"by client":              {audit.Filter{Client: "emmen-ict"}, "[2]"},
			"by the actor's own":     {audit.Filter{Organisation: emmen}, "[2]"},
			"by kind of subject":     {audit.Filter{Subject: audit.Subject{Kind: "contract"}}, "[3 1]"},
			"by subject":             {audit.Filter{Subject: audit.Subject{Kind: "contract", ID: "$1$1$3"}}, "[3]"},
			"from a moment":          {audit.Filter{From: at}, "[3 2]"},
			"till a moment":          {audit.Filter{Till: at}, "[1]"},
			"before another":         {audit.Filter{Before: 3}, "[2 1]"},
			"by all of it":           {audit.Filter{Reader: assen, Act: audit.ContractAccept, Person: "a.jansen", From: start, Till: at, Before: 3, Limit: 1}, "[1]"},
			"a quote is only a name": {audit.Filter{Person: "' OR '1'='1"}, "[]"},
		} {
			if got := fmt.Sprint(sequences(r.list(tc.filter))); got != tc.want {
				t.Errorf("%s: got %s, want %s", name, got, tc.want)
			}
		}
	})
}

func sequences(p audit.Page) []int64 {
	out := []int64{}
	for _, rec := range p.Records {
		out = append(out, rec.Sequence)
	}
	return out
}

func TestPagesGoOnWhereTheLastEnded(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for n := range 7 {
			r.append(signed(n))
		}
		var got []int64
		filter := audit.Filter{Reader: assen, Limit: 3}
		for {
			p := r.list(filter)
			got = append(got, sequences(p)...)
			r.append(signed(99)) // what comes in meanwhile shifts nothing
			if p.Next == 0 {
				break
			}
			filter.Before = p.Next
		}
		if want := "[7 6 5 4 3 2 1]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

func TestOthersLearnThatSomebodyActedNotWho(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.append(signed(1))
		theirs := r.list(audit.Filter{Reader: hubOwner}).Records[0]
		if theirs.Actor.Person+theirs.Actor.Client+theirs.Origin+theirs.Actor.SignIn.Session != "" || theirs.Actor.Organisation != assen {
			t.Errorf("another organisation sees %+v", theirs.Actor)
		}
		if own := r.list(audit.Filter{Reader: assen}).Records[0]; own.Actor.Person != "a.jansen" {
			t.Errorf("its own organisation sees %+v", own.Actor)
		}
	})
}

func TestACheckpointIsSignedOncePerSize(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.append(signed(1))
		first := r.checkpoint()
		if again := r.checkpoint(); first != again || first.Size != 1 {
			t.Errorf("got %+v and %+v", first, again)
		}
		r.append(signed(2))
		if got := r.sound(2, 2, "[]").Signed; got != 1 {
			t.Errorf("got %d records under a checkpoint, want 1", got)
		}
		second := r.checkpoint()
		if got := r.sound(2, 2, "[]").Signed; second.Size != 2 || got != 2 {
			t.Errorf("got a checkpoint of %d and %d records under one, want 2", second.Size, got)
		}
		if got := r.verify(first.Note, second.Note); got.Fault != nil {
			t.Errorf("checkpoints that were held: %v", got.Fault)
		}
	})
}

func TestAReplacedKeyStaysGoodForWhatItSigned(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.append(signed(1))
		r.checkpoint()
		r.log, r.keys = r.newLog(1, 0, 1)
		r.append(signed(2))
		r.checkpoint()
		r.sound(2, 2, "[]")
		r.log, r.keys = r.newLog(1, 1)
		if got := r.verify(); got.Fault == nil {
			t.Error("a checkpoint by a key that nobody knows passes")
		}
	})
}

func TestPurgingRemovesRecordsAndSaltsAndNamesThem(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for n := range 4 {
			r.append(signed(n))
		}
		r.checkpoint()
		if n := r.purge(start.Add(3 * time.Minute)); n != 2 {
			t.Fatalf("removed %d, want 2", n)
		}
		r.sound(5, 3, "[1-2]")
		for n := range 3 {
			r.append(signed(n))
		}
		if n := r.purge(start.Add(time.Hour)); n != 6 {
			t.Fatalf("removed %d, want 6: what the first purge logged too", n)
		}
		r.sound(9, 1, "[1-8]")
		if got := sequences(r.list(audit.Filter{})); fmt.Sprint(got) != "[9]" {
			t.Errorf("listed %v", got)
		}
		var readers int
		if err := r.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM audit_reader`).Scan(&readers); err != nil || readers != 0 {
			t.Errorf("got %d readers of what is gone, %v", readers, err)
		}
	})
}

func TestEvidenceOfARecordStandsByItself(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for n := range 5 {
			r.append(signed(n))
		}
		var ev audit.Evidence
		take := func(sequence int64) (err error) {
			return auditsql.View(t.Context(), r.db, func(src audit.Source) error {
				ev, err = r.log.Evidence(t.Context(), src, sequence)
				return err
			})
		}
		if err := take(3); !errors.Is(err, audit.ErrNotYet) {
			t.Errorf("before a checkpoint: got %v, want ErrNotYet", err)
		}
		r.checkpoint()
		if err := take(9); !errors.Is(err, audit.ErrNoRecord) {
			t.Errorf("of no record: got %v, want ErrNoRecord", err)
		}
		if err := take(3); err != nil {
			t.Fatal(err)
		}
		r.purge(start.Add(time.Hour))
		text, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		for name, spoil := range map[string]func(*audit.Evidence){
			"":                  func(*audit.Evidence) {},
			"another record":    func(e *audit.Evidence) { e.Record += " " },
			"another salt":      func(e *audit.Evidence) { e.Salt[0]++ },
			"no salt":           func(e *audit.Evidence) { e.Salt = nil },
			"another place":     func(e *audit.Evidence) { e.Sequence = 4 },
			"another proof":     func(e *audit.Evidence) { e.Inclusion[0][0]++ },
			"no checkpoint":     func(e *audit.Evidence) { e.Checkpoint = "" },
			"a place before 1":  func(e *audit.Evidence) { e.Sequence = 0 },
			"a place too large": func(e *audit.Evidence) { e.Sequence = 1 << 62 },
		} {
			var e audit.Evidence
			if err := json.Unmarshal(text, &e); err != nil {
				t.Fatal(err)
			}
			spoil(&e)
			got, err := e.Check(r.keys)
			if name == "" && (err != nil || got.Sequence != 3 || got.Act != audit.ContractAccept) {
				t.Errorf("good evidence: got %+v, %v", got, err)
			}
			if name != "" && !errors.Is(err, audit.ErrNoEvidence) {
				t.Errorf("%s: got %v, want ErrNoEvidence", name, err)
			}
		}
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

func TestADeathBetweenAnyTwoStatementsLeavesTheLogSound(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.append(signed(1), signed(2), signed(3))
		r.checkpoint()
		for statements := 0; ; statements++ {
			if statements > 100 {
				t.Fatal("never done")
			}
			before := r.verify()
			err := r.db.Tx(t.Context(), func(tx *sql.Tx) error {
				s := auditsql.In(&halted{Tx: tx, left: statements})
				if _, err := r.log.Append(t.Context(), s, signed(4)); err != nil {
					return err
				}
				if _, err := r.log.Checkpoint(t.Context(), s); err != nil {
					return err
				}
				_, err := r.log.Purge(t.Context(), s, start.Add(2*time.Minute), audit.Actor{Part: "registry"}, "")
				return err
			})
			if err == nil {
				break
			}
			if !errors.Is(err, errHalted) {
				t.Fatal(err)
			}
			if after := r.verify(); after.Fault != nil || after.Root != before.Root || after.Records != before.Records {
				t.Fatalf("after %d statements: got %+v (fault %v), want %+v", statements, after, after.Fault, before)
			}
		}
		r.sound(5, 4, "[1]")
	})
}

func TestWritersAtOnceLeaveNoGap(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		errs := make(chan error, 4)
		for range 4 {
			go func() {
				errs <- r.db.Tx(t.Context(), func(tx *sql.Tx) error {
					_, err := r.log.Append(t.Context(), auditsql.In(tx), signed(1), signed(2))
					return err
				})
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		r.sound(8, 8, "[]")
	})
}

func TestMoreThanOnePageIsVerified(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.write(func(s auditsql.Store) error {
			for n := range 1203 {
				if _, err := r.log.Append(t.Context(), s, signed(n)); err != nil {
					return err
				}
				if n%2 == 1 {
					if _, err := r.log.Checkpoint(t.Context(), s); err != nil {
						return err
					}
				}
			}
			return nil
		})
		exported := 0
		r.view(func(ctx context.Context, src audit.Source) error {
			return audit.Each(ctx, src, audit.Filter{}, func(audit.Record) error { exported++; return nil })
		})
		if exported != 1203 {
			t.Errorf("exported %d, want 1203", exported)
		}
		if got := r.sound(1203, 1203, "[]"); got.Signed != 1202 {
			t.Errorf("got %d under a checkpoint, want 1202", got.Signed)
		}
		r.exec(`UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size = 2) WHERE size = 1200`)
		if got := r.verify(); got.Fault == nil || got.Fault.Last != 1200 || got.Fault.First != 1199 {
			t.Errorf("got %v, want the checkpoint of 1200 records", got.Fault)
		}
	})
}

var _ audit.Store = auditsql.Store{}
var _ merkle.Nodes = auditsql.Store{}
