package discovery_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/libs/discovery"
)

func TestADialerConnectsToAnInstanceThatIsThere(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer srv.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s := &source{}
	s.tell(gone.Listener.Addr().String(), srv.Listener.Addr().String())
	d, err := discovery.NewDialer(s, (&net.Dialer{}).DialContext, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	for range 8 {
		resp, err := client.Get("http://registry/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != "registry" {
			t.Errorf("got host %q, want the name", body)
		}
	}
}

func TestACallWaitsForTheFirstInstancesButNotLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		d, err := discovery.NewDialer(s, func(context.Context, string, string) (net.Conn, error) { a, _ := net.Pipe(); return a, nil }, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		began := time.Now()
		time.AfterFunc(time.Second, func() { s.tell("a:1") })
		if _, err := d.DialContext(t.Context(), "tcp", "x"); err != nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}

		never, err := discovery.NewDialer(&source{}, func(context.Context, string, string) (net.Conn, error) { return nil, nil }, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = never.Close() }()
		for _, want := range []time.Duration{2 * time.Second, 0} { // the second call finds that all patience is used
			began = time.Now()
			if _, err := never.DialContext(t.Context(), "tcp", "x"); !errors.Is(err, discovery.ErrNoInstances) || time.Since(began) != want {
				t.Errorf("got %v after %v, want no instances after %v", err, time.Since(began), want)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		other, err := discovery.NewDialer(&source{}, func(context.Context, string, string) (net.Conn, error) { return nil, nil }, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		if _, err := other.DialContext(ended, "tcp", "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v for a caller that went away", err)
		}
	})
}
