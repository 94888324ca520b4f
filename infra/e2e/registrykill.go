package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"noorderhub.nl/hub/infra/stack"
	"noorderhub.nl/hub/infra/up/material"
	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	registry "noorderhub.nl/hub/services/registry/api"
)

const (
	registryKills = 8
	killEvery     = 1500 * time.Millisecond // at most; the moment is chance
)

// registryKill has people propose, sign and narrow contracts without a pause while the registry is killed with -9 again and
// again. Whatever it answered must be there afterwards, nothing may be there by half, and no snapshot may have been made
// without its record in the audit log. At the end it measures how long a change takes until every gateway keeps it.
func registryKill(ctx context.Context, root string, say func(string, ...any)) error {
	return onStack(ctx, root, say, stack.Options{}, func(ctx context.Context, h *hub) error {
		hand, err := h.Signers()
		if err != nil {
			return err
		}
		k := &registryKilling{hub: h, hand: hand, done: map[string]map[contract.SignatureType][]string{}}
		if err := k.underFire(ctx); err != nil {
			return err
		}
		if err := eventually(ctx, patience, k.everythingIsThere); err != nil {
			return err
		}
		if err := k.nothingByHalf(ctx); err != nil {
			return err
		}
		return k.inForce(ctx)
	})
}

// registryKilling keeps what the registry answered.
type registryKilling struct {
	*hub
	hand material.Hand
	mu   sync.Mutex
	done map[string]map[contract.SignatureType][]string // content hash → kind → OINs whose signature was answered for
	acts int
}

// officeOf is the administration as a person.
func (h *hub) officeOf(ctx context.Context, person string) (*registry.Admin, error) {
	p := h.Demo.People[person]
	c, err := h.callerWith(ctx, p.Client, "beheer", "")
	if err != nil {
		return nil, err
	}
	return &registry.Admin{Base: h.URL, HTTP: c.client, Token: func(ctx context.Context) (string, error) { return c.token(ctx, false) }}, nil
}

// underFire lets two couples of organisations agree while the registry dies and comes back.
func (k *registryKilling) underFire(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 2)
	for _, names := range [][3]string{{"emma", "evert", "henk"}, {"anna", "aad", "henk"}} {
		go func() { ended <- k.agree(ctx, names[0], names[1], names[2]) }()
	}
	process := k.Process("registry")
	for range registryKills {
		wait(ctx, killEvery/4+rand.N(killEvery))
		process.Kill()
		if err := process.Start(ctx); err != nil {
			return err
		}
	}
	wait(ctx, killEvery)
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			return err
		}
	}
	k.say("%d acts on %d contracts were answered while the registry was killed %d times", k.acts, len(k.done), registryKills)
	if len(k.done) < registryKills {
		return fmt.Errorf("only %d contracts came about: too few to say anything", len(k.done))
	}
	return nil
}

// agree proposes contracts and has both sides sign them, one after the other, until ctx ends. What the registry does not
// answer, it asks again; what it refuses because it was done before counts as answered.
func (k *registryKilling) agree(ctx context.Context, proposer, own, provider string) error {
	offices := map[string]*registry.Admin{}
	for _, name := range []string{proposer, own, provider} {
		office, err := k.officeOf(ctx, name)
		if err != nil {
			return err
		}
		offices[name] = office
	}
	oin := func(person string) string { return k.Demo.People[person].Client.OIN }
	for ctx.Err() == nil {
		content, err := k.draft(ctx, oin(proposer), oin(provider))
		if err != nil {
			return err
		}
		text, err := json.Marshal(&contract.Contract{Content: content})
		if err != nil {
			return err
		}
		if !k.insist(ctx, offices[proposer], "exists-already", "/afspraken", registry.ContractDraft{Contract: text}, func() { k.note(content.Hash(), "", "") }) {
			continue
		}
		for _, person := range []string{own, provider} {
			jws, err := k.hand.Sign(oin(person), content, contract.Accept, time.Now())
			if err != nil {
				return err
			}
			k.insist(ctx, offices[person], "signed-already", "/afspraken/"+content.Hash()+"/handtekeningen",
				registry.SignatureBody{Kind: "accept", JWS: jws}, func() { k.note(content.Hash(), contract.Accept, oin(person)) })
		}
	}
	return nil
}

// draft is a contract about addresses, each another one.
func (k *registryKilling) draft(ctx context.Context, consumer, provider string) (*contract.Content, error) {
	now := time.Now()
	return contract.Build(contract.Draft{
		GroupID: "noorderhub-demo", CreatedAt: now, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
		Connections: []contract.Connection{{
			Consumer: consumer, Provider: provider, Service: "bag", Gateway: "gateway.noorderhub.example",
			Terms: contract.Terms{Purpose: "uitproberen", Scopes: []string{"bag.lezen"}},
		}},
	})
}

// insist asks until the registry answers, and tells whether it did before ctx ended.
func (k *registryKilling) insist(ctx context.Context, office *registry.Admin, before, path string, body any, answered func()) bool {
	for ctx.Err() == nil {
		_, err := office.Do(ctx, http.MethodPost, path, "", body, nil)
		if err == nil || refusedAs(err, before) {
			answered()
			return true
		}
		wait(ctx, 50*time.Millisecond)
	}
	return false
}

func (k *registryKilling) note(hash string, kind contract.SignatureType, oin string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acts++
	if k.done[hash] == nil {
		k.done[hash] = map[contract.SignatureType][]string{}
	}
	if oin != "" {
		k.done[hash][kind] = append(k.done[hash][kind], oin)
	}
}

// everythingIsThere asks for every contract and looks for the signatures that were answered for.
func (k *registryKilling) everythingIsThere(ctx context.Context) error {
	hilda, err := k.officeOf(ctx, "hilda")
	if err != nil {
		return err
	}
	for hash, kinds := range k.done {
		var detail registry.AgreementDetail
		if _, err := hilda.Do(ctx, http.MethodGet, "/afspraken/"+hash, "", nil, &detail); err != nil {
			return fmt.Errorf("contract %s: %w", hash, err)
		}
		c, err := contract.Parse(detail.Contract)
		if err != nil {
			return fmt.Errorf("contract %s: %w", hash, err)
		}
		for _, oin := range kinds[contract.Accept] {
			if !c.Signed(contract.Accept, oin) {
				return fmt.Errorf("contract %s lacks the signature of %s, which the registry answered for", hash, oin)
			}
		}
		if agreed := len(kinds[contract.Accept]) == 2; agreed && detail.State != string(contract.Valid) {
			return fmt.Errorf("contract %s has all signatures and is %s", hash, detail.State)
		}
	}
	return nil
}

// nothingByHalf looks into the database: every snapshot has its audit record and the other way round, in one row of numbers
// without a gap, and there is one whole snapshot, the newest.
func (k *registryKilling) nothingByHalf(ctx context.Context) error {
	db, err := k.Database(ctx, "registry")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	text := func(s *string) []any { return []any{s} }
	snapshots, err := sqldb.Collect(ctx, db.Reader(), text, `SELECT epoch || '.' || number FROM snapshot ORDER BY epoch, number`)
	if err != nil {
		return err
	}
	records, err := sqldb.Collect(ctx, db.Reader(), text, `SELECT subject_id FROM audit_record WHERE act = 'snapshot.publish'`)
	if err != nil {
		return err
	}
	acts, err := sqldb.Collect(ctx, db.Reader(), text, `SELECT act FROM audit_record WHERE act LIKE 'contract.%'`)
	if err != nil {
		return err
	}
	whole, err := sqldb.One(ctx, db.Reader(), func(n *int) []any { return []any{n} }, `SELECT COUNT(*) FROM snapshot WHERE body IS NOT NULL`)
	if err != nil {
		return err
	}
	slices.Sort(records)
	sorted := slices.Sorted(slices.Values(snapshots))
	switch {
	case !slices.Equal(sorted, records):
		return fmt.Errorf("%d snapshots and %d audit records of snapshots do not belong together", len(snapshots), len(records))
	case whole != 1:
		return fmt.Errorf("%d snapshots are whole, want the newest only", whole)
	case len(acts) < k.acts/2: // an act that was asked again was done once
		return fmt.Errorf("%d acts were answered, and %d stand in the audit log", k.acts, len(acts))
	}
	k.say("%d snapshots, each with its audit record; %d acts on contracts in the audit log", len(snapshots), len(acts))
	return nil
}

// inForce suspends a contract and measures until none of many applications, spread over the gateways, gets an answer.
func (k *registryKilling) inForce(ctx context.Context) error {
	hilda, err := k.officeOf(ctx, "hilda")
	if err != nil {
		return err
	}
	var callers []*caller
	for range 6 { // the balancer gives each connection to the next gateway
		c, err := k.newCaller(ctx, "assen", "bag", "assen-vergunningen")
		if err != nil {
			return err
		}
		if a := c.call(ctx, http.MethodGet, examplePath); a.kind() != answered {
			return a.fault()
		}
		callers = append(callers, c)
	}
	var all struct {
		Agreements []registry.AgreementView `json:"afspraken"`
	}
	if _, err := hilda.Do(ctx, http.MethodGet, "/afspraken", "", nil, &all); err != nil {
		return err
	}
	i := slices.IndexFunc(all.Agreements, func(a registry.AgreementView) bool { return a.Name == "assen-bag" })
	if i < 0 {
		return errors.New("there is no contract assen-bag")
	}
	path := "/toestemmingen/" + all.Agreements[i].Grants[0].Hash + "/beperking"
	began := time.Now()
	if _, err := hilda.Do(ctx, http.MethodPut, path, "", registry.NarrowingBody{Suspended: true, Reason: "proef"}, nil); err != nil {
		return err
	}
	acted := time.Since(began)
	for _, c := range callers {
		for c.call(ctx, http.MethodGet, examplePath).kind() == answered {
			if time.Since(began) > patience {
				return errors.New("a suspended contract still gets answers")
			}
		}
	}
	k.say("a suspension was stored after %d ms and kept by every gateway after %d ms", acted.Milliseconds(), time.Since(began).Milliseconds())
	return nil
}

// refusedAs tells whether an error is a refusal with this code.
func refusedAs(err error, code string) bool {
	var e *errs.Error
	return errors.As(err, &e) && e.Code.ID == code
}
