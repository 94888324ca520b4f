package publisher

import (
	"context"
	"encoding/json"
	"errors"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Act is an administrative act as the audit log has it. Outcome, Before and After are the publisher's to fill in. Without a
// name it is no act of anybody.
type Act = audit.Record

// byPart is an act of the registry itself; why is what made it act.
func byPart(act audit.Act, subject audit.Subject, why string) Act {
	return Act{Actor: audit.Actor{Part: "registry"}, Act: act, Subject: subject, Outcome: audit.Succeeded, Reason: why}
}

// Change is what an act makes of the directory. It is collected first and carried out as a whole.
type Change struct {
	// Before is the directory that the act is about to change. It is no longer in force when the act is over.
	Before *directory.State
	// Act is the record of the act, for what only the act itself finds out: its detail.
	Act    *Act
	rows   map[directory.Key]row
	events []notify.Event
	steps  []store.Step
	put    []directory.Entity
	gone   []directory.Key
}

// ErrRevision says that an entity is another one by now than the one the act is about.
var ErrRevision = errors.New("changed since it was read")

// Expect refuses the act unless the entity still has this revision.
func (c *Change) Expect(k directory.Key, revision int64) error {
	if c.rows[k].revision != revision {
		return ErrRevision
	}
	return nil
}

// Put makes e what stands under its key.
func (c *Change) Put(e directory.Entity) { c.put = append(c.put, e) }

// Tell lets organisations know of the act, when it is carried out and not before.
func (c *Change) Tell(events ...notify.Event) { c.events = append(c.events, events...) }

// Within has something else stored with the act, in its own transaction: all of it or nothing.
func (c *Change) Within(steps ...store.Step) { c.steps = append(c.steps, steps...) }

// Remove takes away what stands under a key.
func (c *Change) Remove(k directory.Key) { c.gone = append(c.gone, k) }

// Do carries out an act: fn says what changes, and when nothing is wrong with that, it is stored with its audit record and
// its snapshot in one transaction, and in force. Acts come one after another. The error is fn's own, directory.Faults for
// what is wrong with the change, or the store's; then nothing has changed.
func (p *Publisher) Do(ctx context.Context, act Act, fn func(*Change) error) (*State, error) {
	p.rebuild.Lock()
	defer p.rebuild.Unlock()
	if err := p.mend(ctx); err != nil {
		return nil, err
	}
	old := p.state.Load()
	c := &Change{Before: old.Directory, Act: &act, rows: old.rows}
	if err := fn(c); err != nil {
		return nil, err
	}
	next, err := old.Directory.With(ctx, p.o.Now(), c.put, c.gone...)
	if err != nil {
		return nil, err
	}
	put, err := p.numbered(c.put, func(e directory.Entity) row { return old.rows[e.Key()] })
	if err != nil {
		return nil, err
	}
	act.Outcome, act.Before, act.After = audit.Succeeded, storedHash(old.Directory, act.Subject), storedHash(next, act.Subject)
	if _, err := p.publish(ctx, act, next, put, c); err != nil {
		return nil, err
	}
	return p.state.Load(), nil
}

// storedHash is what the audit log says of a subject in a state; "" where it is none.
func storedHash(s *directory.State, of audit.Subject) string {
	e := s.Get(directory.Key{Kind: directory.Kind(of.Kind), ID: of.ID})
	if e == nil {
		return ""
	}
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // it was stored in this form
	}
	return audit.Hash(body)
}

// numbered gives entities their next revision; about says where each came from.
func (p *Publisher) numbered(put []directory.Entity, about func(directory.Entity) row) ([]store.Row, error) {
	rows := make([]store.Row, 0, len(put))
	for _, e := range put {
		body, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		p.revision++
		r := about(e)
		rows = append(rows, store.Row{Key: e.Key(), Revision: p.revision, Source: r.source, Stated: r.stated, Body: body})
	}
	return rows, nil
}
