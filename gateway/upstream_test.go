package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	registry "noorderhub.nl/hub/services/registry/api"
)

func TestAServiceThatIsDownHangsOrBabbles(t *testing.T) {
	garbage := listenRaw(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-dropbear\r\n") })
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) { s.Services[0].Upstream.Timeout = registry.Duration(100 * time.Millisecond) })
	})
	release := make(chan struct{})
	for name, tc := range map[string]struct {
		address string
		handler http.HandlerFunc
		status  int
		code    string
	}{
		"refused":          {address: "https://127.0.0.1:1", status: 503, code: "service-unavailable"},
		"not even TLS":     {address: "https://" + garbage, status: 502, code: "bad-answer"},
		"hanging":          {handler: func(_ http.ResponseWriter, q *http.Request) { <-release }, status: 504, code: "upstream-timeout"},
		"hanging up":       {handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, status: 502, code: "bad-answer"},
		"a 500 of its own": {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, status: 500},
	} {
		good := r.source.Current().Services[0].Upstream.Addresses
		if tc.address != "" {
			swap(r, []string{tc.address})
		}
		if tc.handler != nil {
			r.serve(tc.handler)
		}
		got := r.get(path, r.token(nil))
		if got.StatusCode != tc.status || got.problem().Code != tc.code {
			t.Errorf("%s: got %d %s, want %d %s", name, got.StatusCode, got.body, tc.status, tc.code)
		}
		if strings.Contains(string(got.body), "goroutine") || strings.Contains(string(got.body), "127.0.0.1") {
			t.Errorf("%s: the answer tells of the inside: %s", name, got.body)
		}
		if o := r.records(got.Header.Get("Fsc-Transaction-Id"), 2)[1].Outcome; o.Status != tc.status || o.Code != tc.code {
			t.Errorf("%s: got outcome %+v", name, o)
		}
		if tc.address != "" {
			swap(r, good)
		}
	}
	close(release)
}

// swap changes the addresses and waits until they are in force, which a marker path tells.
func swap(r *rig, addresses []string) {
	marker := fmt.Sprintf("/bag/v2/merk%d", time.Now().UnixNano())
	r.source.change(func(s *registry.Snapshot) {
		s.Services[0].Upstream.Addresses = addresses
		s.Services[0].Operations[3].Path = marker
	})
	eventually(r.t, "the snapshot is in force", func() bool { return r.do("DELETE", marker, "", nil, nil).StatusCode == 405 })
}

func listenRaw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestAnIdempotentCallIsTriedOnAnotherInstanceAndOthersAreNot(t *testing.T) {
	var bad atomic.Int64
	broken := listenRaw(t, func(net.Conn) { bad.Add(1) }) // takes the connection and drops it
	r := newRig(t)
	swap(r, append([]string{"https://" + broken}, r.source.Current().Services[0].Upstream.Addresses...))
	for range 4 {
		if got := r.get(path, r.token(nil)); got.StatusCode != 200 {
			t.Errorf("GET: got %d %s", got.StatusCode, got.body)
		}
	}
	if bad.Load() == 0 {
		t.Error("the broken instance was never tried")
	}
}

func TestAnAnswerThatBreaksOffIsSeenByTheClientAndRecorded(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	q, _ := http.NewRequest("GET", "http://"+r.svc.Addr()+path, nil)
	q.Header.Set("Authorization", "Bearer "+r.token(nil))
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the client took half an answer for whole")
	}
	if o := r.records(resp.Header.Get("Fsc-Transaction-Id"), 2)[1].Outcome; o.Code != "answer-cut" || o.ResponseBytes != 4 {
		t.Errorf("got outcome %+v", o)
	}
}

func TestWhenTheClientGoesTheServiceIsTold(t *testing.T) {
	r := newRig(t)
	entered, gone := make(chan struct{}), make(chan struct{})
	r.serve(func(_ http.ResponseWriter, q *http.Request) {
		close(entered)
		<-q.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	q, _ := http.NewRequestWithContext(ctx, "GET", "http://"+r.svc.Addr()+path, nil)
	q.Header.Set("Authorization", "Bearer "+r.token(nil))
	go func() {
		if resp, err := http.DefaultClient.Do(q); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	cancel()
	<-gone
	eventually(t, "the outcome is recorded", func() bool {
		for _, rec := range r.journal.records() {
			if rec.Outcome != nil && rec.Outcome.Status == 0 {
				return true
			}
		}
		return false
	})
}
