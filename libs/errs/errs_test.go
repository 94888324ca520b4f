package errs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
)

func ExampleCode_Wrap() {
	noContract := &errs.Code{ID: "no-contract", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "No contract"}
	err := fmt.Errorf("call bag: %w", noContract.New("Emmen has no contract for bag").WithRule("contract"))

	e := errs.As(err)
	fmt.Println(e.Code.ID, e.Rule, e.Code.Side)
	// Output: no-contract contract organisation
}

func TestAnUnclassifiedErrorTellsTheCallerNothing(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7: refused")
	e := errs.As(secret)
	if e.Code != errs.CodeInternal || errs.KindOf(secret) != errs.Internal {
		t.Fatalf("got code %s, want %s", e.Code.ID, errs.CodeInternal.ID)
	}
	if got, want := e.Detail, "something went wrong on our side"; got != want {
		t.Errorf("got detail %q, want %q", got, want)
	}
	if !errors.Is(e, secret) {
		t.Error("the cause is lost for the log")
	}
	if errs.As(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestARefusalKeepsItsCodeThroughWrapping(t *testing.T) {
	err := fmt.Errorf("outer: %w", errs.CodeUnavailable.New("registry away").WithRetryAfter(3*time.Second))
	if !errs.Has(err, errs.CodeUnavailable) || errs.Has(err, errs.CodeConflict) {
		t.Error("code not found through the chain, or a wrong one found")
	}
	if got := errs.As(err).RetryAfter; got != 3*time.Second {
		t.Errorf("got retry after %v, want 3s", got)
	}
}
