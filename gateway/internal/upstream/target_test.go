package upstream

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"noorderhub.nl/hub/libs/discovery"
	"noorderhub.nl/hub/libs/errs"
)

func TestAClientsFaultDoesNotSpeakAgainstTheInstance(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer srv.Close()
	in := discovery.Instance{Address: srv.Listener.Addr().String(), Weight: 1}
	var log strings.Builder
	target, err := NewTarget(Config{Name: "bag", Instancer: discovery.Static{in}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		r, _ := http.NewRequest("POST", "/", iotest.ErrReader(errors.New("malformed chunk")))
		_, err := target.Forward(t.Context(), r, false)
		if got := errs.As(err).Code; got != codeBroken {
			t.Errorf("got %v, want %s", err, codeBroken.ID)
		}
		r, _ = http.NewRequest("POST", "/", iotest.ErrReader(errs.CodeTooLarge.New("too much")))
		if _, err := target.Forward(t.Context(), r, false); errs.As(err).Code != errs.CodeTooLarge {
			t.Errorf("got %v, want the refusal of the body itself", err)
		}
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), "rests") {
		t.Errorf("the instance was put to rest: %s", log.String())
	}
}

func TestABodyThatNobodyReadGoesToAnotherInstance(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer srv.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	target, err := NewTarget(Config{Name: "bag", Logger: slog.New(slog.DiscardHandler), Instancer: discovery.Static{
		{Address: gone.Listener.Addr().String(), Weight: 1}, {Address: srv.Listener.Addr().String(), Weight: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	for range 4 { // each is the first choice at least once
		r, _ := http.NewRequest("POST", "/", io.NopCloser(strings.NewReader("once")))
		resp, err := target.Forward(t.Context(), r, false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != "once" {
			t.Errorf("got %q, %v, want the whole body", got, err)
		}
		_ = resp.Body.Close()
	}
	if target.Retries() == 0 {
		t.Error("the instance that is gone was never tried")
	}
}
