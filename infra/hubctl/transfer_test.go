package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/infra/up/allinone"
	cases "noorderhub.nl/hub/services/cases/api"
)

const zaak = `{"bronorganisatie":"000000000","identificatie":"ZAAK-2026-1","zaaktype":"https://catalogi.example/zaaktypen/OMG-01",
 "verantwoordelijkeOrganisatie":"000000000","startdatum":"2026-11-02","omschrijving":"dakkapel"}`

// example is a case as the test collection of the standard has it.
const example = `{"_url":"{{zrc_url}}/zaken","body":{"bronorganisatie":"000000000","zaaktype":"{{zaaktype_url}}",
 "verantwoordelijkeOrganisatie":"000000000","startdatum":"2026-11-02"}}`

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "case.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestACaseIsHandedOverFromTheCommandLine(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	hub, err := allinone.Start(t.Context(), allinone.Options{Data: data, Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := hub.Stop(); err != nil {
			t.Error(err)
		}
	}()
	run := func(args ...string) string {
		t.Helper()
		out, errOut, err := hubctl(t, data, args...)
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", args, err, out, errOut)
		}
		return out
	}
	refused := func(code string, args ...string) {
		t.Helper()
		out, _, err := hubctl(t, data, append(args, "--json")...)
		var r refusal
		if err == nil || json.Unmarshal([]byte(out), &r) != nil || r.Code != code {
			t.Errorf("%v: got %q, %v, want %s", args, out, err, code)
		}
	}
	staged := func(args ...string) stage {
		t.Helper()
		var s stage
		if err := json.Unmarshal([]byte(run(append(args, "--json")...)), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	file := write(t, zaak)
	handOver := []string{"transfer", "--from", "groningen", "--to", "assen", file}

	t.Run("the same command offers, waits, delivers and shows", func(t *testing.T) {
		offered := staged(handOver...)
		id := offered.Transfer.ID
		if offered.Transfer.State != cases.StateOffered || id[14] != '8' || !strings.Contains(offered.Next, "accept "+id) {
			t.Fatalf("got %+v", offered)
		}
		if again := staged(handOver...); again.Transfer.ID != id || len(again.Receipts) != 1 {
			t.Errorf("again: got %+v", again)
		}
		if out := run("inbox", "--as", "assen"); !strings.Contains(out, id+"  in  from Gemeente Groningen") || !strings.Contains(out, "may: accept, decline") {
			t.Errorf("inbox: %s", out)
		}
		if out := run("postvak", "--as", "groningen"); !strings.Contains(out, id+"  out to   Gemeente Assen") {
			t.Errorf("inbox of the sender: %s", out)
		}
		refused("transfer-state", "inbox", "--as", "assen", "acknowledge", id, "--number", "A1")
		run("inbox", "--as", "assen", "accept", id)
		if delivered := staged(handOver...); delivered.Transfer.State != cases.StateDelivered || len(delivered.Receipts) != 3 {
			t.Fatalf("got %+v", delivered)
		}
		if out := run("inbox", "--as", "assen", "case", id); out != zaak {
			t.Errorf("the case arrived as %q", out)
		}
		done := staged("inbox", "--as", "assen", "acknowledge", id, "--number", "ASN-1", "--url", "https://zaken.assen.example/1")
		if done.Transfer.State != cases.StateAcknowledged || done.Transfer.Processed.ID != "ASN-1" || len(done.Receipts) != 4 {
			t.Errorf("got %+v", done)
		}
		for _, organisation := range []string{"assen", "groningen"} {
			if out := run("inbox", "--as", organisation, "receipts", id); strings.Count(out, "checked") != 4 || !strings.Contains(out, "acknowledged") {
				t.Errorf("receipts of %s: %s", organisation, out)
			}
		}
		if out := run(handOver...); !strings.Contains(out, "acknowledged (verwerkt)") || !strings.Contains(out, "ASN-1") {
			t.Errorf("at the end: %s", out)
		}
		refused("transfer-not-found", "inbox", "--as", "leeuwarden", "show", id)
	})
	t.Run("with --wait one run does it all", func(t *testing.T) {
		done := make(chan error, 1)
		other := write(t, strings.Replace(zaak, "2026-1", "2026-2", 1))
		go func() {
			_, _, err := hubctl(t, data, "transfer", "--from", "groningen", "--to", "assen", "--wait", "1m", other)
			done <- err
		}()
		id := ""
		until(t, func() bool {
			var page cases.TransferPage
			if json.Unmarshal([]byte(run("inbox", "--as", "assen", "--state", "aangeboden", "--json")), &page) != nil || len(page.Transfers) == 0 {
				return false
			}
			id = page.Transfers[0].ID
			return true
		})
		run("inbox", "--as", "assen", "accept", id)
		until(t, func() bool {
			return staged("inbox", "--as", "assen", "show", id).Transfer.State == cases.StateDelivered
		})
		run("inbox", "--as", "assen", "acknowledge", id, "--number", "ASN-2")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("a declined case is no success", func(t *testing.T) {
		other := write(t, strings.Replace(zaak, "2026-1", "2026-3", 1))
		args := []string{"transfer", "--from", "groningen", "--to", "assen", other}
		id := staged(args...).Transfer.ID
		if _, _, err := hubctl(t, data, "inbox", "--as", "assen", "decline", id); err == nil {
			t.Error("declined without a reason")
		}
		run("inbox", "--as", "assen", "decline", id, "--reason", "niet voor ons")
		out, _, err := hubctl(t, data, args...)
		if err == nil || !strings.Contains(err.Error(), "niet voor ons") || !strings.Contains(out, "declined") {
			t.Errorf("got %q, %v", out, err)
		}
	})
	t.Run("the evidence of a whole transfer holds with no hub at hand", func(t *testing.T) {
		args := []string{"transfer", "--from", "groningen", "--to", "assen", write(t, strings.Replace(zaak, "2026-1", "2026-4", 1))}
		if out := run(append(args, "--try")...); !strings.Contains(out, "nothing was sent") {
			t.Errorf("trial: %s", out)
		}
		id := staged(args...).Transfer.ID
		run("inbox", "--as", "assen", "accept", id)
		run(args...)
		run("inbox", "--as", "assen", "acknowledge", id, "--number", "ASN-4")
		if out := run("transfer", "close", id, "--from", "groningen", "--to", "assen"); !strings.Contains(out, "closed (gesloten)") {
			t.Errorf("closing: %s", out)
		}
		bundle := run("inbox", "--as", "groningen", "receipts", id, "--json")
		file := write(t, bundle)
		if out := run("evidence", "verify", file); !strings.Contains(out, "5 receipts, all of them hold") || !strings.Contains(out, "Gemeente Groningen") {
			t.Errorf("verify: %s", out)
		}
		ca, elsewhere := filepath.Join(t.TempDir(), "ca.pem"), t.TempDir() // as at an archive: no data folder of a hub
		known, err := demo.Load(data)
		if err != nil {
			t.Fatal(err)
		}
		pem, err := os.ReadFile(known.CA)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ca, pem, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, _, err := hubctl(t, elsewhere, "evidence", "verify", file, "--ca", ca); err != nil || !strings.Contains(out, "5 receipts") {
			t.Errorf("elsewhere: %q, %v", out, err)
		}
		if _, _, err := hubctl(t, elsewhere, "evidence", "verify", file, "--ca", ca, "--hub", "00000099000000001000"); err == nil {
			t.Error("another hub's receipts were taken")
		}
		if _, _, err := hubctl(t, elsewhere, "evidence", "verify", write(t, strings.Replace(bundle, id[:8], "00000000", 1)), "--ca", ca); err == nil {
			t.Error("the receipts of another transfer were taken")
		}
	})
	t.Run("a case is withdrawn, and sent back", func(t *testing.T) {
		args := []string{"transfer", "--from", "groningen", "--to", "assen", write(t, strings.Replace(zaak, "2026-1", "2026-5", 1))}
		id := staged(args...).Transfer.ID
		run("transfer", "withdraw", id, "--from", "groningen", "--to", "assen", "--reason", "vergissing")
		if out, _, err := hubctl(t, data, args...); err == nil || !strings.Contains(out, "withdrawn") {
			t.Errorf("withdrawn: %q, %v", out, err)
		}
		args[len(args)-1] = write(t, strings.Replace(zaak, "2026-1", "2026-6", 1))
		id = staged(args...).Transfer.ID
		run("inbox", "--as", "assen", "accept", id)
		run(args...)
		run("inbox", "--as", "assen", "refuse", id, "--code", "onvolledig", "--reason", "bijlage ontbreekt")
		if out, _, err := hubctl(t, data, args...); err == nil || !strings.Contains(out, "onvolledig: bijlage ontbreekt") {
			t.Errorf("refused: %q, %v", out, err)
		}
	})
	t.Run("an example of the standard is filled in", func(t *testing.T) {
		args := []string{"transfer", "--from", "groningen", "--to", "assen", write(t, example)}
		first, again := staged(args...), staged(args...)
		if first.Transfer.ID != again.Transfer.ID || !strings.HasPrefix(first.Transfer.Case.ID, "VOORBEELD-") {
			t.Errorf("got %+v", first.Transfer)
		}
	})
	t.Run("what cannot be handed over is refused", func(t *testing.T) {
		refused("no-contract", "transfer", "--from", "emmen", "--to", "assen", file)
		refused("receiver-not-agreed", "transfer", "--from", "groningen", "--to", "emmen", file)
		refused("receiver-unknown", "transfer", "--from", "groningen", "--to", "00000099000000077000", file)
		refused("scope-not-granted", "transfer", "--from", "groningen", "--to", "groningen", file)
		refused("invalid-input", "transfer", "--from", "groningen", "--to", "assen", write(t, "{}"))
		if _, _, err := hubctl(t, data, "transfer", "--from", "groningen", "--to", "urk", file); err == nil || !strings.Contains(err.Error(), "westerkwartier") {
			t.Errorf("an organisation that is not there: %v", err)
		}
		if _, _, err := hubctl(t, data, "transfer", "--from", "groningen", "--to", "assen", write(t, "x")); err == nil {
			t.Error("a file that is no case was offered")
		}
	})
}

// until polls, for what happens in another goroutine.
func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen in time")
		}
	}
}
