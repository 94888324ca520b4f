package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
)

// local lets tests reach their own listeners.
var local = Reach(prefixes("127.0.0.0/8", "::1/128"))

// outside starts a server as an outsider has it.
func outside(t *testing.T, h http.HandlerFunc) (*httptest.Server, Options) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are what some tests are about
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, Options{Reach: local, Roots: roots}
}

// wants checks that err is the refusal of one code, and that it does not tell the query.
func wants(t *testing.T, err error, code *errs.Code, detail string) {
	t.Helper()
	var refusal *errs.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Fatalf("got %v, want %s", err, code.ID)
	}
	if !strings.Contains(refusal.Detail, detail) || refusal.Rule == "" {
		t.Errorf("got detail %q and rule %q, want %q in it and a rule", refusal.Detail, refusal.Rule, detail)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the query: %v", err)
	}
}

func TestADocumentComesWithItsContentType(t *testing.T) {
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "hub-test/1" {
			t.Errorf("got User-Agent %q", got)
		}
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("headers of the hub went along: %v", r.Header)
		}
		if r.URL.RawQuery != "versie=2" {
			t.Errorf("got query %q", r.URL.RawQuery)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		switch r.URL.Path {
		case "/first":
			http.Redirect(w, r, "/second?versie=2", http.StatusFound)
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			fmt.Fprint(w, `{"keys":[]}`)
		}
	})
	c := New(Settings{UserAgent: "hub-test/1"})
	body, contentType, err := c.Get(t.Context(), s.URL+"/first?versie=2#top", o)
	if err != nil || string(body) != `{"keys":[]}` || contentType != "application/json; charset=utf-8" {
		t.Errorf("got %q, %q, %v", body, contentType, err)
	}
}

func TestAddressesOfAWrongFormAreRefusedBeforeAnything(t *testing.T) {
	for name, rawURL := range map[string]string{
		"plain http":                "http://example.nl/?t=hunter2",
		"a file":                    "file:///etc/passwd",
		"gopher":                    "gopher://example.nl/_hunter2",
		"no scheme":                 "example.nl/jwks",
		"a user name":               "https://hunter2@example.nl/",
		"a password":                "https://a:hunter2@example.nl/",
		"no host":                   "https:///jwks?hunter2",
		"opaque":                    "https:example.nl",
		"a port that is none":       "https://example.nl:x/hunter2",
		"port 0":                    "https://example.nl:0/",
		"an empty port":             "https://example.nl:/",
		"an interface of the hub":   "https://[fe80::1%25eth0]/",
		"a line end":                "https://example.nl/\r\nX: hunter2",
		"a space in the host":       "https://exa mple.nl/",
		"nothing":                   "",
		"too long for any use":      "https://example.nl/" + strings.Repeat("a", maxURL),
		"a backslash for the host":  `https://example.nl\@127.0.0.1/`,
		"an encoded host separator": "https://example.nl%2f@127.0.0.1/",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := New(Settings{}).Get(t.Context(), rawURL, Options{})
			wants(t, err, codeURL, "")
			_, err = New(Settings{}).Post(t.Context(), rawURL, nil, Options{})
			wants(t, err, codeURL, "")
		})
	}
}

func TestPrivateAddressesAreRefusedBeforeTheConnection(t *testing.T) {
	var calls atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]", "127.1.2.3"} {
		_, _, err := New(Settings{}).Get(t.Context(), "https://"+host+":"+port+"/?t=hunter2", Options{})
		wants(t, err, codeNetwork, host)
	}
	if got := calls.Load(); got != 0 {
		t.Errorf("%d connections were made", got)
	}
}

func TestANameThatTurnsToAPrivateAddressIsRefusedAtTheDial(t *testing.T) {
	s, o := outside(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "inside") })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	dns := rebinding(t, [4]byte{127, 0, 0, 1})
	c := New(Settings{Resolver: dns})
	target := "https://example.com:" + port + "/?t=hunter2" // httptest's certificate has this name
	o.Reach = nil
	_, _, err := c.Get(t.Context(), target, o)
	wants(t, err, codeNetwork, "example.com")

	// The same name for an organisation that has the network on its list.
	o.Reach = local
	if body, _, err := c.Get(t.Context(), target, o); err != nil || string(body) != "inside" {
		t.Errorf("got %q, %v", body, err)
	}
}

// rebinding is a resolver whose every answer is the private address, however often a public one was seen before.
func rebinding(t *testing.T, address [4]byte) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			server.WriteTo(dnsAnswer(buf[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// dnsAnswer answers A with the address and everything else with nothing (RFC 1035 §4.1).
func dnsAnswer(query []byte, address [4]byte) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	out := append([]byte{}, query[:end]...)
	out[2], out[3] = 0x81, 0x80
	clear(out[6:12])
	if query[end-3] == 1 { // type A
		out[7] = 1
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		out = append(out, address[:]...)
	}
	return out
}

func TestRedirectsAreHeldToTheSameRules(t *testing.T) {
	var hops atomic.Int64
	var inside *httptest.Server
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		hops.Add(1)
		switch r.URL.Path {
		case "/plain":
			w.Header().Set("Location", "http://example.nl/?t=hunter2")
		case "/inside":
			w.Header().Set("Location", "https://10.1.2.3/?t=hunter2")
		case "/metadata":
			w.Header().Set("Location", "https://169.254.169.254/latest/?t=hunter2")
		case "/junk":
			w.Header().Set("Location", "https://[::1/?t=hunter2")
		case "/user":
			w.Header().Set("Location", "https://hunter2@example.nl/")
		case "/loop":
			w.Header().Set("Location", "/loop?t=hunter2")
		case "/3", "/2":
			w.Header().Set("Location", string(rune(r.URL.Path[1]-1)))
		case "/1":
			w.Header().Set("Location", inside.URL)
		}
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	inside = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "there") }))
	t.Cleanup(inside.Close)
	c := New(Settings{})
	for path, want := range map[string]*errs.Code{
		"/plain": codeRedirect, "/inside": codeNetwork, "/metadata": codeNetwork, "/junk": codeRedirect, "/user": codeRedirect,
		"/loop": codeRedirect, "/nowhere": codeRedirect,
	} {
		t.Run(path, func(t *testing.T) {
			_, _, err := c.Get(t.Context(), s.URL+path+"?t=hunter2", o)
			wants(t, err, want, "")
		})
	}
	if body, _, err := c.Get(t.Context(), s.URL+"/3", o); err != nil || string(body) != "there" {
		t.Errorf("got %q, %v after three redirects", body, err)
	}
	hops.Store(0)
	answer, err := c.Post(t.Context(), s.URL+"/loop", []byte("{}"), o)
	if err != nil || answer.Status != http.StatusPermanentRedirect || hops.Load() != 1 {
		t.Errorf("got %+v, %v after %d requests; a POST is never redirected", answer, err, hops.Load())
	}
}

func TestDocumentsAreBoundedWhileTheyCome(t *testing.T) {
	var sent atomic.Int64
	bomb := func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		zeros := make([]byte, 1<<20)
		for range 50 {
			z.Write(zeros)
		}
		z.Close()
		return b.Bytes()
	}()
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			w.Header().Set("Content-Length", "52428800")
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
			return
		case "/exact":
			w.Write(make([]byte, MaxJWKS))
			return
		}
		chunk := make([]byte, 64<<10)
		for range 800 { // 50 MB
			n, err := w.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	c := New(Settings{})
	for _, path := range []string{"/declared", "/streamed", "/bomb"} {
		t.Run(path, func(t *testing.T) {
			sent.Store(0)
			_, _, err := c.Get(t.Context(), s.URL+path+"?t=hunter2", o)
			wants(t, err, codeSize, "256 KiB")
			if got := sent.Load(); got > 16<<20 {
				t.Errorf("%d bytes were taken before it was cut", got)
			}
		})
	}
	if body, _, err := c.Get(t.Context(), s.URL+"/exact", o); err != nil || len(body) != MaxJWKS {
		t.Errorf("got %d bytes, %v for a document of exactly the limit", len(body), err)
	}
}

func TestSlowServersAreCutOff(t *testing.T) {
	release := make(chan struct{})
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-release
			return
		}
		for { // a byte now and then
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-release:
				return
			case <-r.Context().Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	defer close(release)
	c := New(Settings{})
	c.window = 100 * time.Millisecond
	_, _, err := c.Get(t.Context(), s.URL+"/drip?t=hunter2", o)
	wants(t, err, codeSlow, "bytes a second")
	o.Deadline = 50 * time.Millisecond
	_, _, err = c.Get(t.Context(), s.URL+"/silent?t=hunter2", o)
	wants(t, err, codeSlow, "50ms")
	_, err = c.Post(t.Context(), s.URL+"/silent?t=hunter2", nil, o)
	wants(t, err, codeSlow, "50ms")
	_, err = c.Preflight(t.Context(), s.URL+"/silent?t=hunter2", o)
	wants(t, err, codeSlow, "50ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Get(ctx, s.URL+"/silent", o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v when the caller called it off", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	o.Deadline = 0
	_, _, err = c.Get(ctx, s.URL+"/silent?t=hunter2", o)
	wants(t, err, codeSlow, "in time")
}

func TestOnlyAProperAnswerIsADocument(t *testing.T) {
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/coded":
			w.Header().Set("Content-Encoding", "br")
		case "/broken":
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "this is not gzip")
		case "/short":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "cut off")
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("a", 2*maxHeader))
		case "/hijack":
			conn, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprint(conn, "SSH-2.0 hello\r\n\r\n")
			conn.Close()
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	})
	c := New(Settings{})
	for _, path := range []string{"/coded", "/broken", "/short", "/headers", "/hijack", "/teapot"} {
		_, _, err := c.Get(t.Context(), s.URL+path+"?t=hunter2", o)
		wants(t, err, codeAnswer, "127.0.0.1")
	}
	s.Close()
	_, _, err := c.Get(t.Context(), s.URL+"/gone?t=hunter2", o)
	wants(t, err, codeUnreachable, "127.0.0.1")
	_, _, err = c.Get(t.Context(), "https://no-such-name.invalid/?t=hunter2", o)
	wants(t, err, codeUnreachable, "no-such-name.invalid")
}

func TestAMessageIsPostedOnce(t *testing.T) {
	var got []string
	s, o := outside(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body))
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	o.Header = http.Header{"Content-Type": {"application/json"}}
	c := New(Settings{})
	answer, err := c.Post(t.Context(), s.URL, []byte(`{"a":1}`), o)
	if err != nil || answer.Status != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "7" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if _, err := c.Preflight(t.Context(), s.URL, o); err != nil {
		t.Error(err)
	}
	if want := []string{`POST application/json {"a":1}`, "OPTIONS application/json "}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheEnvironmentNamesNoProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	s, o := outside(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	if _, _, err := New(Settings{}).Get(t.Context(), s.URL, o); err != nil {
		t.Error(err)
	}
}

func FuzzParseGivesOnlyPlainHTTPS(f *testing.F) {
	for _, seed := range []string{"https://example.nl/a?b", "https://[::1]:8443/", "http://x", "https://0x7f.1/", "HTTPS://EXAMPLE.NL"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Scheme != "https" || again.User != nil || again.Host != u.Host || again.Hostname() == "" || again.Fragment != "" {
			t.Errorf("%q became %+v, %v", raw, again, err)
		}
	})
}
