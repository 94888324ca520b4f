package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"noorderhub.nl/hub/infra/up/allinone"
)

const call = "GET /bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1"

// hubctl runs the program on a hub and gives what it printed.
func hubctl(t *testing.T, data string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut strings.Builder
	err = run(t.Context(), args, data, &out, &errOut)
	return out.String(), errOut.String(), err
}

func TestEveryVerbOnARunningHub(t *testing.T) {
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

	t.Run("token prints the token and nothing else", func(t *testing.T) {
		out, errOut, err := hubctl(t, data, "token", "--as", "assen")
		if err != nil || strings.Count(out, ".") != 2 || strings.Count(out, "\n") != 1 || errOut != "" {
			t.Errorf("got %q, %q, %v", out, errOut, err)
		}
	})
	t.Run("call prints the body and the transaction, trace explains it", func(t *testing.T) {
		out, errOut, err := hubctl(t, data, "call", "--as", "leeuwarden", call)
		if err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, `"9990AA"`) {
			t.Fatalf("got %q, %v", out, err)
		}
		id, ok := strings.CutPrefix(strings.TrimSpace(errOut), "transaction ")
		if !ok {
			t.Fatalf("got %q on stderr", errOut)
		}
		out, _, err = hubctl(t, data, "trace", id)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Gemeente Leeuwarden", "heffing van belastingen", "allowed by rule", "200 by the service", "gateway", "address"} {
			if !strings.Contains(out, want) {
				t.Errorf("trace does not show %q:\n%s", want, out)
			}
		}
		if strings.Contains(out, "9990AA") {
			t.Error("the trace holds the query of the call")
		}
	})
	t.Run("without a contract the refusal says what to do", func(t *testing.T) {
		out, _, err := hubctl(t, data, "call", "--json", "--as", "emmen", call)
		if err == nil {
			t.Fatal("emmen got an answer")
		}
		var got refusal
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v: %q", err, out)
		}
		if got.Code != "no-contract" || got.Side != "organisation" || got.Next == "" || got.Page != hub.URL+"/portaal/fouten/no-contract" {
			t.Errorf("got %+v", got)
		}
		if text := err.Error(); !strings.Contains(text, got.Next) || !strings.Contains(text, got.Page) {
			t.Errorf("a person reads %q", text)
		}
	})
	t.Run("an answer that is no success is no success here", func(t *testing.T) {
		out, errOut, err := hubctl(t, data, "call", "--as", "assen", "GET /bag/individuelebevragingen/v2/adressen/9901200000999999")
		if err == nil || !strings.Contains(out, "404") || !strings.HasPrefix(errOut, "transaction ") {
			t.Errorf("got %q, %q, %v", out, errOut, err)
		}
	})
	t.Run("an organisation that is not there", func(t *testing.T) {
		if _, _, err := hubctl(t, data, "token", "--as", "urk"); err == nil || !strings.Contains(err.Error(), "westerkwartier") {
			t.Errorf("got %v, want the ones to choose from", err)
		}
	})
}

func TestWithoutAHubTheVerbsSayHowToStartOne(t *testing.T) {
	if _, _, err := hubctl(t, t.TempDir(), "token", "--as", "assen"); err == nil || !strings.Contains(err.Error(), "go run ./infra/up") {
		t.Errorf("got %v", err)
	}
}
