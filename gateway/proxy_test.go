package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

func TestHeadersThatIdentifyAreCutAndTheHubsAreSet(t *testing.T) {
	r := newRig(t)
	outside := http.Header{
		"Connection": {"X-Keep, Fsc-Transaction-Id, Authorization, Forwarded"}, "X-Keep": {"nominated"}, "Accept": {"application/json"},
		"Accept-Crs": {"epsg:28992"}, "Te": {"trailers"},
	}
	cut := []string{
		"DPoP", "Client-Cert", "Client-Cert-Chain", "X-Forwarded-For", "X-Forwarded-User", "X-Real-Ip", "Fsc-Grant-Hash", "X-Hub-Tenant", "X_Hub_Tenant",
		"Client_Cert", "X_Forwarded_For", "X-SSL-Client-Cert", "X_SSL_Client_Verify", "X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-Url", "Baggage",
		"Noorderhub-Answered-By", "Via", "Cookie", "Proxy-Authorization", "Remote-User", "Keep-Alive",
		"X-NLX-Request-User-Id", "X-Auth-Request-Email", "X-Authenticated-Userid", "X-Consumer-Username", "X-Credential-Identifier",
		"X-MS-Client-Principal", "X-MS-Client-Principal-Id", "X-Goog-Authenticated-User-Email", "X-Amzn-Oidc-Data", "X-WebAuth-User",
		"Client-IP", "X-Forwarded", "X-Original-Host",
	}
	for _, name := range cut {
		outside[name] = []string{"vals"}
	}
	outside["Forwarded"] = []string{"for=1.2.3.4;host=evil"}
	outside["X-Forwarded-Host"] = []string{"evil"}
	outside["Fsc-Transaction-Id"] = []string{"vals"}
	got := r.do("GET", path, r.token(nil), nil, outside)
	if got.StatusCode != 200 {
		t.Fatalf("got %d %s", got.StatusCode, got.body)
	}
	in := r.calls()[0].Header
	for _, name := range append(cut, "X-Keep", "Connection") {
		for have, v := range in {
			if strings.EqualFold(have, name) {
				t.Errorf("header %s came through: %v", name, v)
			}
		}
	}
	for name, want := range map[string]string{
		"Forwarded": `for=127.0.0.1;host="hub.example.nl";proto=https`, "X-Forwarded-Host": "hub.example.nl", "X-Forwarded-Proto": "https",
		"Fsc-Transaction-Id": got.Header.Get("Fsc-Transaction-Id"), "Accept": "application/json", "Accept-Crs": "epsg:28992", "Te": "trailers",
	} {
		if v := in.Get(name); v != want {
			t.Errorf("got %s %q, want %q", name, v, want)
		}
	}
	if bearerOf(r.calls()[0]) == "" || strings.Contains(in.Get("Authorization"), r.token(nil)) {
		t.Error("the call token is missing")
	}
}

func TestAnswersLoseWhatSpeaksForTheHub(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, name := range []string{"Server", "X-Powered-By", "Set-Cookie", "Strict-Transport-Security", "Fsc-Transaction-Id", "Noorderhub-Answered-By", "Traceparent", "Alt-Svc", "X-Once",
			"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Service-Worker-Allowed"} {
			h.Set(name, "vals")
		}
		h.Set("Connection", "X-Once")
		h.Set("Etag", `"1"`)
		h.Set("Cache-Control", "max-age=60")
		h.Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "x")
		h.Set("X-Sum", "42")
	})
	got := r.get(path, r.token(nil))
	for name, values := range got.Header {
		if values[0] == "vals" {
			t.Errorf("header %s came through", name)
		}
	}
	if got.StatusCode != 201 || got.Header.Get("Etag") != `"1"` || got.Header.Get("Cache-Control") != "max-age=60" || len(got.Header["Cache-Control"]) != 1 {
		t.Errorf("got %d %v", got.StatusCode, got.Header)
	}
	if got.Header.Get("X-Frame-Options") != "DENY" || got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("the hub's own protection is missing: %v", got.Header)
	}
	if sum := got.Trailer.Get("X-Sum"); sum != "42" {
		t.Errorf("got trailer %q, want 42", sum)
	}
}

func TestTraceContextGoesOnAndComesBack(t *testing.T) {
	r := newRig(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	got := r.do("GET", path, r.token(nil), nil, http.Header{"Traceparent": {"00-" + trace + "-b7ad6b7169203331-01"}})
	in := r.calls()[0].Header.Get("Traceparent")
	if !strings.Contains(in, trace) || !strings.Contains(got.Header.Get("Traceparent"), trace) || strings.Contains(in, "b7ad6b7169203331") {
		t.Errorf("the service got %q, the client %q", in, got.Header.Get("Traceparent"))
	}
}

func TestEventsArriveWhileTheAnswerGoesOn(t *testing.T) {
	r := newRig(t)
	next := make(chan struct{})
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-q.Context().Done():
				return
			}
		}
	})
	for name, client := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": r.client()} {
		base := "http://" + r.svc.Addr()
		if name == "HTTP/2" {
			base = "https://" + r.svc.AddrTLS()
		}
		q, _ := http.NewRequest("GET", base+path, nil)
		q.Header.Set("Authorization", "Bearer "+r.token(nil))
		resp, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(resp.Body)
		for i := range 3 {
			line, err := lines.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", i) {
				t.Fatalf("%s: got %q %v", name, line, err)
			}
			_, _ = lines.ReadString('\n')
			next <- struct{}{}
		}
		resp.Body.Close()
	}
}

// zeros is an endless body that counts what was taken.
type zeros struct{ n atomic.Int64 }

func (z *zeros) Read(p []byte) (int, error) { z.n.Add(int64(len(p))); return len(p), nil }

func TestALargeUploadIsStreamedInBoundedMemory(t *testing.T) {
	const size = 256 << 20
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) { s.Services[0].Upstream.MaxBody = size })
	})
	var peak, taken atomic.Uint64
	var source zeros
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		buf := make([]byte, 1<<20)
		for {
			n, err := io.ReadFull(q.Body, buf)
			taken.Add(uint64(n))
			var m runtime.MemStats
			if taken.Load()%(32<<20) == 0 {
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
				if ahead := source.n.Load() - int64(taken.Load()); ahead > 32<<20 {
					t.Errorf("%d bytes were taken ahead of the service", ahead)
				}
			}
			if err != nil {
				break
			}
		}
		fmt.Fprint(w, taken.Load())
	})
	got := r.do("POST", path, r.token(nil), io.LimitReader(&source, size), nil)
	if string(got.body) != fmt.Sprint(size) {
		t.Fatalf("got %d %q, want %d bytes", got.StatusCode, got.body, size)
	}
	if peak.Load() > 128<<20 {
		t.Errorf("got a heap of %d MiB", peak.Load()>>20)
	}
	if o := r.records(got.Header.Get("Fsc-Transaction-Id"), 2)[1].Outcome; o.RequestBytes != size {
		t.Errorf("got %d request bytes, want %d", o.RequestBytes, size)
	}
}

func TestABodyBeyondTheLimitIsRefusedWithAndWithoutALength(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		if _, err := io.Copy(io.Discard, q.Body); err == nil {
			t.Error("the service took the body for whole")
		}
	})
	for name, body := range map[string]io.Reader{
		"with length": strings.NewReader(strings.Repeat("x", 1<<20+1)), "without": io.LimitReader(&zeros{}, 1<<20+1),
	} {
		got := r.do("POST", path, r.token(nil), body, nil)
		if got.StatusCode != 413 || got.problem().Code != "body-too-large" {
			t.Errorf("%s: got %d %s", name, got.StatusCode, got.body)
		}
	}
}

func TestATokenIsWorthNothingOnAnotherConnection(t *testing.T) {
	r := newRig(t)
	issue := func(name string) *pki.Pair {
		pair, err := r.ca.Issue(pki.Request{CommonName: name, Client: true})
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	own, other := issue("assen"), issue("dief")
	r.source.change(func(s *registry.Snapshot) { s.Grants[0].Terms.Binding = "mtls" })
	bound := r.token(func(c *token.Claims) { c.Confirmation = &token.Confirmation{Certificate: own.Thumbprint()} })
	base := "https://" + r.svc.AddrTLS()
	eventually(t, "the binding is in force", func() bool { return r.get(path, r.token(nil)).StatusCode == 401 })
	for range 2 { // the second call comes over the same connection
		if got := r.with(r.client(own), base, "GET", path, bound, nil, nil); got.StatusCode != 200 || got.ProtoMajor != 2 {
			t.Errorf("got %d over %s with the right certificate: %s", got.StatusCode, got.Proto, got.body)
		}
	}
	if got := r.with(r.client(other), base, "GET", path, bound, nil, nil); got.problem().Code != "certificate-mismatch" || got.StatusCode != 401 {
		t.Errorf("got %d %s with another certificate", got.StatusCode, got.body)
	}
	if got := r.with(r.client(), base, "GET", path, bound, nil, nil); got.problem().Code != "certificate-missing" {
		t.Errorf("got %d %s without certificate", got.StatusCode, got.body)
	}
	if got := r.get(path, bound); got.problem().Code != "certificate-missing" {
		t.Errorf("got %d %s without TLS", got.StatusCode, got.body)
	}
	foreign, err := pki.NewCA("foreign")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := foreign.Issue(pki.Request{CommonName: "assen", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	insistent := r.client()
	insistent.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert := pair.TLS() // whatever authorities the server names
		return &cert, nil
	}
	q, _ := http.NewRequest("GET", base+path, nil)
	if resp, err := insistent.Do(q); err == nil {
		resp.Body.Close()
		t.Error("a certificate of a foreign authority got through the handshake")
	}
}

func TestOnlyTheAuthorizationServerGetsTheClientCertificate(t *testing.T) {
	r := newRig(t)
	pair, err := r.ca.Issue(pki.Request{CommonName: "assen", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	spoofed := http.Header{"Client-Cert": {":c3Bvb2Y=:"}}
	client, base := r.client(pair), "https://"+r.svc.AddrTLS()
	r.with(client, base, "POST", "/oauth2/token", "", strings.NewReader("grant_type=client_credentials"), spoofed.Clone())
	r.with(client, base, "GET", path, r.token(nil), nil, spoofed.Clone())
	r.do("POST", "/oauth2/token", "", strings.NewReader("x=y"), spoofed.Clone())
	calls := r.calls()
	if got := calls[0].Header.Get("Client-Cert"); len(got) < 100 || got[0] != ':' || got[len(got)-1] != ':' {
		t.Errorf("the authorization server got Client-Cert %q", got)
	}
	if got := calls[1].Header.Get("Client-Cert"); got != "" {
		t.Errorf("the service got Client-Cert %q", got)
	}
	if got := calls[2].Header.Get("Client-Cert"); got != "" {
		t.Errorf("a spoofed certificate reached the authorization server: %q", got)
	}
}

func TestANewSnapshotDropsNothing(t *testing.T) {
	r := newRig(t)
	addresses := r.source.Current().Services[0].Upstream.Addresses
	second := r.part("address")
	raw := r.token(nil)
	var calls, failed atomic.Int64
	done := make(chan struct{})
	ended := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := r.get(path, raw); got.StatusCode != 200 {
					failed.Add(1)
					t.Errorf("got %d %s", got.StatusCode, got.body)
					return
				}
				calls.Add(1)
			}
		}()
	}
	for i := range 40 {
		before := calls.Load()
		swap(r, map[bool][]string{true: {second}, false: addresses}[i%2 == 0])
		eventually(t, "calls go on", func() bool { return calls.Load() > before+4 || failed.Load() > 0 })
	}
	r.source.change(func(s *registry.Snapshot) { // a faulty service is left out
		s.Services = append(s.Services, registry.Service{Slug: "kapot", BasePaths: []string{"/beheer"}})
	})
	before := calls.Load()
	eventually(t, "calls go on beside a faulty service", func() bool { return calls.Load() > before+20 || failed.Load() > 0 })
	close(done)
	for range 4 {
		<-ended
	}
}

func TestPartsOfTheHubAreReachedByTheirClass(t *testing.T) {
	r := newRig(t)
	admin := func(audience, client, peer string) string {
		return r.issuer.Token(hub+audience, func(c *token.Claims) {
			c.ClientID, c.PeerID, c.GrantHash, c.Scope = client, peer, "", "journaal.lezen"
		})
	}
	for _, tc := range []struct {
		name, method, path, token string
		status                    int
		part                      string
	}{
		{"the token endpoint", "POST", "/oauth2/token", "", 200, "authserver"},
		{"metadata", "GET", "/.well-known/oauth-authorization-server", "", 200, "authserver"},
		{"the front page", "GET", "/", "", 200, "portal"},
		{"the portal", "GET", "/portaal/", "", 200, "portal"},
		{"an error page", "GET", "/portaal/fouten/no-contract", "", 200, "portal"},
		{"the status page", "GET", "/status", "", 200, "portal"},
		{"a service's OpenAPI file", "GET", "/bag/v2/openapi.json", "", 200, "address"},
		{"the journal's OpenAPI file", "GET", "/journaal/v1/openapi.json", "", 200, "journal"},
		{"the journal without token", "GET", "/journaal/v1/transacties", "", 401, ""},
		{"the journal with a service's token", "GET", "/journaal/v1/transacties", r.token(nil), 401, ""},
		{"the journal", "GET", "/journaal/v1/transacties", admin("/journaal", "client-1", assen), 200, "journal"},
		{"the registry", "POST", "/beheer/v1/afspraken", admin("/beheer", "client-2", groningen), 200, "registry"},
		{"the registry with the journal's token", "GET", "/beheer/v1/afspraken", admin("/journaal", "client-1", assen), 401, ""},
	} {
		got := r.do(tc.method, tc.path, tc.token, nil, nil)
		if got.StatusCode != tc.status || got.Header.Get("X-Part") != tc.part {
			t.Errorf("%s: got %d from %q: %s", tc.name, got.StatusCode, got.Header.Get("X-Part"), got.body)
		}
	}
	for _, q := range r.calls() {
		if strings.HasPrefix(q.URL.Path, "/beheer") && bearerOf(q) == "" {
			t.Error("the registry got no call token")
		}
	}
}

func TestHealthIsAnsweredOutsideWithoutDetails(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if got := r.get(path, ""); got.StatusCode != 200 || string(got.body) != want {
			t.Errorf("%s: got %d %q", path, got.StatusCode, got.body)
		}
	}
}

func TestCallTokensAreReused(t *testing.T) {
	r := newRig(t)
	raw := r.token(nil)
	r.get(path, raw)
	r.get(path, raw)
	r.get(path, r.token(nil))
	calls := r.calls()
	if bearerOf(calls[0]) != bearerOf(calls[1]) || bearerOf(calls[0]) == bearerOf(calls[2]) {
		t.Error("want one call token per access token")
	}
}

// A slow upload is no slow service: the deadline runs from its last piece.
func TestAnUploadMayTakeLongerThanTheServiceMayThink(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) { s.Services[0].Upstream.Timeout = registry.Duration(300 * time.Millisecond) })
	})
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		fmt.Fprint(w, n)
	})
	from, to := io.Pipe()
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range 10 {
			<-tick.C
			_, _ = to.Write([]byte("x"))
		}
		to.Close()
	}()
	if got := r.do("POST", path, r.token(nil), from, nil); string(got.body) != "10" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
}
