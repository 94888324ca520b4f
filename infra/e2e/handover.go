package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"noorderhub.nl/hub/infra/stack"
)

// transferAnswer is what is looked at of hubctl transfer --json.
type transferAnswer struct {
	Transfer struct {
		ID    string `json:"id"`
		State string `json:"toestand"`
	} `json:"uitwisseling"`
	Receipts []struct {
		Type string `json:"type"`
	} `json:"ontvangstbewijzen"`
}

// whole are the receipts of a case that was handed over.
var whole = []string{"aangeboden", "geaccepteerd", "afgeleverd", "verwerkt"}

// handOver hands a new case from groningen to assen, each side as its people would: the sender's command waits, the
// receiver accepts and takes in. during, when given, runs once the case is offered, while both sides go on. The receipts
// are verified by hubctl on both sides.
func (h *hub) handOver(ctx context.Context, during func(context.Context) error) (string, error) {
	file, err := h.newCase()
	if err != nil {
		return "", err
	}
	var sent transferAnswer
	sender := make(chan error, 1)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	go func() {
		sender <- h.query(ctx, &sent, "transfer", "--from", "groningen", "--to", "assen", "--wait", "150s", file)
	}()
	id, err := h.offered(ctx)
	if err != nil {
		select {
		case told := <-sender:
			err = errors.Join(err, told)
		default:
		}
		return "", err
	}
	disturbed := make(chan error, 1)
	go func() {
		if during == nil {
			during = func(context.Context) error { return nil }
		}
		disturbed <- during(ctx)
	}()
	for _, act := range [][]string{{"accept", id}, {"acknowledge", id, "--number", fmt.Sprintf("ASN-2026-%04d", h.cases)}} {
		if err := eventually(ctx, patience, func(ctx context.Context) error {
			_, _, err := h.run(ctx, append([]string{"inbox", "--as", "assen"}, act...)...)
			return err
		}); err != nil {
			return "", errors.Join(err, <-disturbed)
		}
	}
	if err := errors.Join(<-disturbed, <-sender); err != nil {
		return "", err
	}
	var got []string
	for _, r := range sent.Receipts {
		got = append(got, r.Type)
	}
	if sent.Transfer.ID != id || sent.Transfer.State != "verwerkt" || !slices.Equal(got, whole) {
		return "", fmt.Errorf("case %s ended as %s of %s, with receipts %v", id, sent.Transfer.State, sent.Transfer.ID, got)
	}
	if _, _, err := h.run(ctx, "inbox", "--as", "assen", "receipts", id); err != nil {
		return "", fmt.Errorf("receipts as assen: %w", err)
	}
	return id, nil
}

// offered waits for the one offer that assen has not accepted.
func (h *hub) offered(ctx context.Context) (string, error) {
	id := ""
	return id, eventually(ctx, patience, func(ctx context.Context) error {
		var page struct {
			Transfers []struct {
				ID string `json:"id"`
			} `json:"uitwisselingen"`
		}
		if err := h.query(ctx, &page, "inbox", "--as", "assen", "--state", "aangeboden"); err != nil {
			return err
		}
		if len(page.Transfers) != 1 {
			return fmt.Errorf("%w: %d offers in the inbox of assen", errNotYet, len(page.Transfers))
		}
		id = page.Transfers[0].ID
		return nil
	})
}

// newCase writes a case that was not handed over before.
func (h *hub) newCase() (string, error) {
	h.cases++
	file := filepath.Join(h.files, fmt.Sprintf("zaak-%d.json", h.cases))
	return file, os.WriteFile(file, fmt.Appendf(nil, `{"bronorganisatie": "000000000", "identificatie": "ZAAK-2026-%010d",
 "zaaktype": "https://catalogi.example/zaaktypen/OMG-01", "verantwoordelijkeOrganisatie": "000000000",
 "startdatum": "2026-11-02", "omschrijving": "Dakkapel"}
`, h.cases), 0o600)
}

// down is how long a killed process stays away.
const down = time.Second

// killEach kills every kind of process in the middle of a hand-over, and demands that it still ends well after the restart.
func killEach(ctx context.Context, h *hub) error {
	for _, name := range h.Names() {
		if name == "gateway-2" || name == "gateway-3" || name == "address-2" {
			continue // as gateway-1 and address-1
		}
		began := time.Now()
		victim := h.Process(name)
		if _, err := h.handOver(ctx, func(ctx context.Context) error { return killAndRestart(ctx, victim) }); err != nil {
			return fmt.Errorf("kill -9 of %s: %w", name, err)
		}
		if err := eventually(ctx, patience, func(ctx context.Context) error {
			_, _, err := h.call(ctx, "--as", "assen", addressCall)
			return err
		}); err != nil {
			return fmt.Errorf("address call after kill -9 of %s: %w", name, err)
		}
		h.say("kill -9 of %s in the middle of a hand-over: it ended well (%.0f s)", name, time.Since(began).Seconds())
	}
	return nil
}

func killAndRestart(ctx context.Context, p *stack.Process) error {
	p.Kill()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(down):
		return p.Start(ctx)
	}
}
