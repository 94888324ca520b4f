package auditsql_test

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/audit/auditsql"
)

// tables are those of the log, with a statement for every column that changes it in one row and nothing else.
var tables = map[string]map[string]string{
	"audit_record": {
		"sequence":     `UPDATE audit_record SET sequence = 99 WHERE sequence = 4`,
		"salt":         `UPDATE audit_record SET salt = (SELECT salt FROM audit_record WHERE sequence = 5) WHERE sequence = 4`,
		"body":         `UPDATE audit_record SET body = REPLACE(body, 'besluit', 'Besluit') WHERE sequence = 4`,
		"id":           `UPDATE audit_record SET id = '019ab3a0-0000-7000-8000-00000000000f' WHERE sequence = 4`,
		"at":           `UPDATE audit_record SET at = at + 1 WHERE sequence = 4`,
		"act":          `UPDATE audit_record SET act = 'contract.reject' WHERE sequence = 4`,
		"outcome":      `UPDATE audit_record SET outcome = 'failed' WHERE sequence = 4`,
		"person":       `UPDATE audit_record SET person = 'b.jansen' WHERE sequence = 4`,
		"client":       `UPDATE audit_record SET client = '' WHERE sequence = 4`,
		"organisation": `UPDATE audit_record SET organisation = '00000099000000003000' WHERE sequence = 4`,
		"subject_kind": `UPDATE audit_record SET subject_kind = 'client' WHERE sequence = 4`,
		"subject_id":   `UPDATE audit_record SET subject_id = 'another' WHERE sequence = 4`,
	},
	"audit_reader": {
		"organisation": `UPDATE audit_reader SET organisation = '00000099000000003000' WHERE sequence = 4 AND organisation = '00000099000000002000'`,
		"sequence":     `UPDATE audit_reader SET sequence = 98 WHERE sequence = 4 AND organisation = '00000099000000002000'`,
	},
	"audit_node": {
		"position": `UPDATE audit_node SET position = 999 WHERE position = 6`, // the node that record 4 completes
		"hash":     `UPDATE audit_node SET hash = (SELECT hash FROM audit_node WHERE position = 0) WHERE position = 6`,
	},
	"audit_tree": {
		"id":       `DELETE FROM audit_tree`, // it can have no other value
		"frontier": `UPDATE audit_tree SET frontier = (SELECT hash FROM audit_node WHERE position = 0)`,
	},
	"audit_checkpoint": {
		"size": `UPDATE audit_checkpoint SET size = 5 WHERE size = 6`,
		"note": `UPDATE audit_checkpoint SET note = REPLACE(note, 'hub.', 'hob.')`,
	},
}

func TestEveryColumnIsGuarded(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for table, changes := range tables {
			for _, column := range columnsOf(t, r, table) {
				if changes[column] == "" {
					t.Errorf("nothing tries to change %s.%s", table, column)
				}
			}
		}
	})
	for table, changes := range tables {
		for column, statement := range changes {
			t.Run(table+"."+column, func(t *testing.T) { spoiled(t, statement) })
		}
	}
}

func columnsOf(t *testing.T, r *rig, table string) []string {
	t.Helper()
	rows, err := r.db.Reader().QueryContext(t.Context(), `SELECT * FROM `+table+` WHERE 1 = 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return names
}

// spoiled logs eight records under two checkpoints, purges the first two, changes something and expects it to be found.
func spoiled(t *testing.T, statements ...string) {
	t.Helper()
	each(t, func(t *testing.T, r *rig) {
		fill(r)
		for _, statement := range statements {
			r.exec(statement)
		}
		got := r.verify()
		if got.Fault == nil {
			t.Fatalf("not found: %s", statements)
		}
		t.Log(got.Fault)
	})
}

func fill(r *rig) {
	r.t.Helper()
	for n := range 6 {
		r.append(signed(n))
	}
	r.checkpoint()
	r.append(signed(7))
	if n := r.purge(start.Add(3 * time.Minute)); n != 2 {
		r.t.Fatalf("purged %d, want 2", n)
	}
	r.sound(8, 6, "[1-2]")
}

func TestRowsThatGoComeOrMoveAreFound(t *testing.T) {
	for name, statements := range map[string][]string{
		"a record is deleted":                     {`DELETE FROM audit_record WHERE sequence = 5`},
		"a record is deleted, readers too":        {`DELETE FROM audit_record WHERE sequence = 5`, `DELETE FROM audit_reader WHERE sequence = 5`},
		"the record of the purge is deleted":      {`DELETE FROM audit_record WHERE sequence = 8`},
		"the purge is made to say more":           {`UPDATE audit_record SET body = REPLACE(body, '"through":2', '"through":4') WHERE sequence = 8`, `DELETE FROM audit_record WHERE sequence IN (3, 4)`},
		"two records change places":               {`UPDATE audit_record SET sequence = 77 WHERE sequence = 3`, `UPDATE audit_record SET sequence = 3 WHERE sequence = 4`, `UPDATE audit_record SET sequence = 4 WHERE sequence = 77`},
		"a leaf of a removed record is deleted":   {`DELETE FROM audit_node WHERE position = 0`},
		"a leaf of a removed record is changed":   {`UPDATE audit_node SET hash = (SELECT hash FROM audit_node WHERE position = 1) WHERE position = 0`},
		"the newest record is cut off":            {`DELETE FROM audit_record WHERE sequence = 8`, `DELETE FROM audit_node WHERE position >= 11`},
		"a reader is added":                       {`INSERT INTO audit_reader (organisation, sequence) VALUES ('00000099000000003000', 4)`},
		"a record is put behind the end":          {`UPDATE audit_record SET sequence = 9 WHERE sequence = 8`},
		"a node is put behind the end":            {`INSERT INTO audit_node (position, hash) SELECT 15, hash FROM audit_node WHERE position = 0`},
		"a checkpoint is moved to another size":   {`UPDATE audit_checkpoint SET size = 3 WHERE size = 6`},
		"a checkpoint is of a log that is longer": {`UPDATE audit_checkpoint SET size = 88 WHERE size = 8`},
	} {
		t.Run(name, func(t *testing.T) { spoiled(t, statements...) })
	}
}

func TestTheFirstFaultIsNamed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		fill(r)
		r.exec(`UPDATE audit_record SET body = REPLACE(body, 'besluit', 'Besluit') WHERE sequence IN (4, 6)`)
		got := r.verify()
		if got.Fault == nil || got.Fault.First != 4 || got.Fault.Last != 4 {
			t.Fatalf("got %v, want record 4", got.Fault)
		}
		if want := "record 4: the record is not the one that was logged"; got.Fault.Error() != want {
			t.Errorf("got %q, want %q", got.Fault, want)
		}
	})
}

// forge rewrites the log from a record on, as somebody does who may write in the database and knows this program, but has
// no key.
func forge(r *rig, keep int64, records ...audit.Record) {
	r.t.Helper()
	bodies := r.list(audit.Filter{Limit: 1000}).Records
	slices.Reverse(bodies)
	for _, table := range []string{"audit_record", "audit_reader", "audit_node", "audit_tree"} {
		r.exec(`DELETE FROM ` + table)
	}
	r.append(append(bodies[:keep:keep], records...)...)
}

func TestARewrittenLogDiffersFromItsCheckpoint(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for n := range 5 {
			r.append(signed(n))
		}
		held := r.checkpoint()
		forge(r, 2, signed(8), signed(9), signed(10))
		if got := r.verify(); got.Fault == nil || got.Fault.First != 1 || got.Fault.Last != 5 {
			t.Errorf("got %v, want the checkpoint of 5", got.Fault)
		}
		err := r.db.Tx(t.Context(), inTx(func(s auditsql.Store) error { _, err := r.log.Append(t.Context(), s, signed(11)); return err }))
		if err != nil {
			t.Fatal(err)
		}
		err = r.db.Tx(t.Context(), inTx(func(s auditsql.Store) error { _, err := r.log.Checkpoint(t.Context(), s); return err }))
		if !errors.Is(err, audit.ErrTampered) {
			t.Errorf("signing on: got %v, want ErrTampered", err)
		}
		// Without its checkpoint the rewritten log is sound by itself: only who holds a copy sees it.
		r.exec(`DELETE FROM audit_checkpoint`)
		if got := r.verify(held.Note); got.Fault == nil || got.Fault.Last != 5 {
			t.Errorf("with the checkpoint that was held: got %v", got.Fault)
		}
	})
}

func TestALogThatWasCutShortDiffersFromWhatIsHeld(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for n := range 5 {
			r.append(signed(n))
		}
		held := r.checkpoint()
		forge(r, 3)
		if got := r.verify(); got.Fault == nil || got.Fault.First != 4 || got.Fault.Last != 5 {
			t.Errorf("got %v, want 4-5", got.Fault)
		}
		err := r.db.Tx(t.Context(), inTx(func(s auditsql.Store) error { _, err := r.log.Checkpoint(t.Context(), s); return err }))
		if !errors.Is(err, audit.ErrTampered) {
			t.Errorf("signing on: got %v, want ErrTampered", err)
		}
		r.exec(`DELETE FROM audit_checkpoint`)
		if got := r.verify(held.Note); got.Fault == nil || got.Fault.First != 4 || got.Fault.Last != 5 {
			t.Errorf("with the checkpoint that was held: got %v, want 4-5", got.Fault)
		}
	})
}

func TestWhatIsHeldMustBeACheckpointOfThisLog(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.append(signed(1))
		err := auditsql.View(t.Context(), r.db, func(src audit.Source) error {
			_, err := r.log.Verify(t.Context(), src, "rubbish")
			return err
		})
		if err == nil {
			t.Error("rubbish is taken for a checkpoint")
		}
	})
}

func inTx(fn func(auditsql.Store) error) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error { return fn(auditsql.In(tx)) }
}
