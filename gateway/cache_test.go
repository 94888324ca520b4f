package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// counting is a service that numbers its answers.
func counting(r *rig, header http.Header) {
	var n atomic.Int64
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		fmt.Fprintf(w, "answer %d", n.Add(1))
	})
}

func minute(of *registry.Terms) { of.CacheSeconds = 60 }

func TestAnAnswerIsKeptForAsLongAsTheContractSays(t *testing.T) {
	r := newRig(t, terms(minute))
	counting(r, http.Header{"Etag": {`"v1"`}, "Content-Type": {"text/plain"}})
	raw := r.token(nil)
	first := r.get(path+"?a=1", raw)
	second := r.get(path+"?a=1", raw)
	if string(first.body) != "answer 1" || string(second.body) != "answer 1" || len(r.calls()) != 1 {
		t.Fatalf("got %q and %q with %d calls", first.body, second.body, len(r.calls()))
	}
	if by := first.Header.Get("Noorderhub-Answered-By"); by != "service" {
		t.Errorf("the first was answered by %q", by)
	}
	if h := second.Header; h.Get("Noorderhub-Answered-By") != "cache" || h.Get("Age") != "0" || h.Get("Content-Type") != "text/plain" || second.ContentLength != 8 {
		t.Errorf("got %v", h)
	}
	if first.Header.Get("Fsc-Transaction-Id") == second.Header.Get("Fsc-Transaction-Id") {
		t.Error("a kept answer has the transaction of another")
	}
	rec := r.records(second.Header.Get("Fsc-Transaction-Id"), 2)
	if d, o := rec[0].Decision, rec[1].Outcome; d == nil || !d.Permit || o == nil || o.AnsweredBy != "cache" || o.Status != 200 || o.ResponseBytes != 8 || o.UpstreamUS != 0 {
		t.Errorf("got records %+v", rec)
	}
	head := r.do("HEAD", path+"?a=1", raw, nil, http.Header{"Accept-Encoding": {"gzip"}}) // as Go sends it with GET
	if head.StatusCode != 200 || head.ContentLength != 8 || head.Header.Get("Noorderhub-Answered-By") != "cache" {
		t.Errorf("HEAD: got %d %v", head.StatusCode, head.Header)
	}
	known := r.do("GET", path+"?a=1", raw, nil, http.Header{"If-None-Match": {`"v0", W/"v1"`}})
	if known.StatusCode != 304 || len(known.body) != 0 || known.Header.Get("Etag") != `"v1"` {
		t.Errorf("a known answer: got %d %q %v", known.StatusCode, known.body, known.Header)
	}
	if fresh := r.do("GET", path+"?a=1", raw, nil, http.Header{"Cache-Control": {"no-cache"}}); string(fresh.body) != "answer 2" {
		t.Errorf("who wants a new answer got %q", fresh.body)
	}
	if got := r.get(path+"?a=1", raw); string(got.body) != "answer 2" {
		t.Errorf("got %q after somebody had a new answer", got.body)
	}
}

func TestNobodySeesTheAnswerOfAnother(t *testing.T) {
	r := newRig(t, terms(minute), func(r *rig) {
		r.source.change(func(s *registry.Snapshot) {
			other := s.Grants[0]
			other.Hash, other.Consumer = "$1$3$other", groningen
			second := s.Grants[0]
			second.Hash = "$1$3$second"
			s.Grants = append(s.Grants, other, second)
			s.Clients[0].Assignments = append(s.Clients[0].Assignments, registry.Assignment{Name: "b", GrantHash: second.Hash})
			s.Clients[1].Assignments = []registry.Assignment{{Name: "b", GrantHash: other.Hash}}
			s.Clients = append(s.Clients, registry.Client{ID: "client-3", Organisation: assen, Assignments: s.Clients[0].Assignments})
		})
	})
	counting(r, nil)
	seen := map[string]string{}
	for _, tc := range []struct {
		name, path string
		token      func(*token.Claims)
		header     http.Header
	}{
		{"the first", path, nil, nil},
		{"another organisation", path, func(c *token.Claims) { c.ClientID, c.PeerID, c.GrantHash = "client-2", groningen, "$1$3$other" }, nil},
		{"another client of the organisation", path, func(c *token.Claims) { c.ClientID = "client-3" }, nil},
		{"another contract", path, func(c *token.Claims) { c.GrantHash = "$1$3$second" }, nil},
		{"other scopes", path, func(c *token.Claims) { c.Scope = "bag.lezen" }, nil},
		{"another query", path + "?a=1", nil, nil},
		{"another order of the query", path + "?b=2&a=1", nil, nil},
		{"another path", path + "/1", nil, nil},
		{"an encoded path", path + "/%31", nil, nil},
		{"another language", path, nil, http.Header{"Accept-Language": {"fy"}}},
		{"another form", path, nil, http.Header{"Accept": {"application/hal+json"}}},
		{"another coordinate system", path, nil, http.Header{"Accept-Crs": {"epsg:28992"}}},
		{"another origin", path, nil, http.Header{"Origin": {"https://www.example.nl"}}},
	} {
		raw := r.token(func(c *token.Claims) {
			if tc.token != nil {
				tc.token(c)
			}
		})
		got := r.do("GET", tc.path, raw, nil, tc.header)
		if by := got.Header.Get("Noorderhub-Answered-By"); got.StatusCode == 200 && by != "service" {
			t.Errorf("%s: got the answer of %s", tc.name, seen[string(got.body)])
		} else if got.StatusCode != 200 && got.StatusCode != 400 { // a path that is not canonical gets no answer at all
			t.Errorf("%s: got %d %s", tc.name, got.StatusCode, got.body)
		}
		seen[string(got.body)] = tc.name
	}
}

func TestWhatMayNotBeKeptIsNot(t *testing.T) {
	for name, tc := range map[string]struct {
		snapshot func(*registry.Snapshot)
		answer   http.Header
		request  http.Header
		claims   func(*token.Claims)
	}{
		"a contract without it":          {snapshot: func(s *registry.Snapshot) { s.Grants[0].Terms.CacheSeconds = 0 }},
		"personal data":                  {snapshot: func(s *registry.Snapshot) { s.Services[0].Personal = true }},
		"a client that acts for another": {claims: func(c *token.Claims) { c.Actor = &token.Actor{Subject: "iemand"} }},
		"no-store of the service":        {answer: http.Header{"Cache-Control": {"no-store"}}},
		"private":                        {answer: http.Header{"Cache-Control": {"max-age=9, private"}}},
		"a cookie":                       {answer: http.Header{"Set-Cookie": {"a=b"}}},
		"Vary with an unknown field":     {answer: http.Header{"Vary": {"Accept, X-Kleur"}}},
		"over already":                   {answer: http.Header{"Cache-Control": {"max-age=5"}, "Age": {"5"}}},
		"no-store of the client":         {request: http.Header{"Cache-Control": {"no-store"}}},
		"a range":                        {request: http.Header{"Range": {"bytes=0-1"}}},
		"events":                         {answer: http.Header{"Content-Type": {"text/event-stream"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, terms(minute), func(r *rig) {
				if tc.snapshot != nil {
					r.source.change(tc.snapshot)
				}
			})
			counting(r, tc.answer)
			raw := r.token(tc.claims)
			for i := range 2 {
				if got := r.do("GET", path, raw, nil, tc.request); string(got.body) != "answer "+strconv.Itoa(i+1) {
					t.Errorf("call %d: got %d %q", i, got.StatusCode, got.body)
				}
			}
		})
	}
}

func TestAChangeMakesKeptAnswersWorthless(t *testing.T) {
	r := newRig(t, terms(minute))
	counting(r, nil)
	raw := r.token(nil)
	want := func(n int) {
		t.Helper()
		for range 2 {
			if got := r.get(path, raw); string(got.body) != "answer "+strconv.Itoa(n) {
				t.Fatalf("got %q, want answer %d", got.body, n)
			}
		}
	}
	want(1)
	r.do("POST", path, raw, strings.NewReader("x"), nil) // answer 2
	want(3)
	version := r.source.change(func(s *registry.Snapshot) { s.Services[0].Title = "Adressen, nieuw" })
	eventually(t, "the new description is in force", func() bool {
		got := r.get(path+"/zie", raw) // not kept under the name that is looked at
		rec := r.records(got.Header.Get("Fsc-Transaction-Id"), 1)
		return rec[0].Decision.SnapshotVersion == version.String()
	})
	before := len(r.calls())
	r.get(path, raw)
	r.get(path, raw)
	if n := len(r.calls()) - before; n != 1 {
		t.Errorf("the service got %d calls after its description changed, want 1", n)
	}
}

func TestManyCallsAtOnceAskTheServiceOnce(t *testing.T) {
	r := newRig(t, terms(minute))
	entered, release := make(chan struct{}, 100), make(chan struct{})
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "moi")
	})
	raw := r.token(nil)
	var calls sync.WaitGroup
	var byCache atomic.Int64
	for range 30 {
		calls.Go(func() {
			got := r.get(path, raw)
			if got.StatusCode != 200 || string(got.body) != "moi" {
				t.Errorf("got %d %q", got.StatusCode, got.body)
			}
			if got.Header.Get("Noorderhub-Answered-By") == "cache" {
				byCache.Add(1)
			}
		})
	}
	<-entered
	close(release)
	calls.Wait()
	if n := len(r.calls()); n != 1 || byCache.Load() != 29 {
		t.Errorf("the service got %d calls and the cache gave %d answers, want 1 and 29", n, byCache.Load())
	}
}

func TestCallsThatWaitAreNotHeldByAnAnswerThatIsNotKept(t *testing.T) {
	r := newRig(t, terms(minute), func(r *rig) { r.cfg.Cache.Answer = 1000 })
	release := make(chan struct{})
	var n atomic.Int64
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		mine := n.Add(1)
		_, _ = io.WriteString(w, strings.Repeat("x", 1500)) // too much, which nobody knows before
		_ = http.NewResponseController(w).Flush()
		if mine == 1 {
			<-release
		}
	})
	raw := r.token(nil)
	first := make(chan *answer, 1)
	go func() { first <- r.get(path, raw) }()
	eventually(t, "the first call is under way", func() bool { return n.Load() == 1 })
	if got := r.get(path, raw); len(got.body) != 1500 {
		t.Errorf("got %d bytes", len(got.body))
	}
	close(release)
	if got := <-first; len(got.body) != 1500 || n.Load() != 2 {
		t.Errorf("got %d bytes and %d calls", len(got.body), n.Load())
	}
}

func TestAnAnswerThatBreaksOffIsNotKept(t *testing.T) {
	r := newRig(t, terms(minute))
	var n atomic.Int64
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush() // or the gateway may ask once more
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "whole")
	})
	raw := r.token(nil)
	q, _ := http.NewRequest("GET", "http://"+r.svc.Addr()+path, nil)
	q.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultClient.Do(q)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err == nil {
		t.Error("the client took half an answer for a whole one")
	}
	if got := r.get(path, raw); string(got.body) != "whole" {
		t.Errorf("got %q", got.body)
	}
}

func TestGatewaysShareAnswersThatRedisCanNotRead(t *testing.T) {
	server := miniredis.RunT(t)
	r := newRig(t, onRedis(server.Addr()), terms(minute))
	counting(r, http.Header{"X-Geheim": {"canarie"}})
	raw := r.token(nil)
	secret := path + "?postcode=9400AA"
	r.get(secret, raw)
	eventually(t, "the answer is in Redis", func() bool { return len(server.Keys()) == 1 })
	key := server.Keys()[0]
	stored, _ := server.Get(key)
	for _, canary := range []string{"9400AA", "canarie", "answer 1", "adressen", grantHash, "client-1"} {
		if strings.Contains(key+stored, canary) {
			t.Errorf("%s stands in Redis", canary)
		}
	}
	if ttl := server.TTL(key); ttl <= 0 || ttl > time.Minute {
		t.Errorf("the answer lives for %s", ttl)
	}
	other := "http://" + r.another()
	got := r.with(http.DefaultClient, other, "GET", secret, raw, nil, nil)
	if string(got.body) != "answer 1" || got.Header.Get("Noorderhub-Answered-By") != "cache" {
		t.Errorf("the other gateway gave %q by %s", got.body, got.Header.Get("Noorderhub-Answered-By"))
	}
	r.do("POST", path, raw, strings.NewReader("x"), nil) // answer 2, through the first
	eventually(t, "the other gateway sees the change", func() bool {
		return string(r.with(http.DefaultClient, other, "GET", secret, raw, nil, nil).body) == "answer 3"
	})
	eventually(t, "the newest answer is in Redis", func() bool { value, _ := server.Get(key); return value != stored })
	_ = server.Set(key, "rommel") // somebody writes there
	third := "http://" + r.another()
	if got := r.with(http.DefaultClient, third, "GET", secret, raw, nil, nil); got.StatusCode != 200 || got.Header.Get("Noorderhub-Answered-By") != "service" {
		t.Errorf("got %d by %s from what nobody can read", got.StatusCode, got.Header.Get("Noorderhub-Answered-By"))
	}
}
