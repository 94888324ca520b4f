package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	registry "noorderhub.nl/hub/services/registry/api"
)

// A service may answer while it still reads: nothing of the body may get lost then.
func TestABodyGoesOnAfterTheHeadOfTheAnswer(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.WriteHeader(http.StatusAccepted)
		_ = control.Flush()
		n, err := io.Copy(io.Discard, q.Body)
		fmt.Fprint(w, n, err)
	})
	const size = 600 << 10
	for name, client := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": r.client()} {
		base := "http://" + r.svc.Addr()
		if name == "HTTP/2" {
			base = "https://" + r.svc.AddrTLS()
		}
		from, to := io.Pipe()
		q, _ := http.NewRequest("POST", base+path, from)
		q.Header.Set("Authorization", "Bearer "+r.token(nil))
		go func() { _, _ = to.Write([]byte("x")) }()
		resp, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: got %d", name, resp.StatusCode)
		}
		go func() { // only now, with the head of the answer here
			_, _ = io.WriteString(to, strings.Repeat("x", size-1))
			to.Close()
		}()
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := fmt.Sprint(size, " <nil>"); string(text) != want || err != nil {
			t.Errorf("%s: got %q %v, want %q", name, text, err, want)
		}
	}
}

// dial opens a connection to the gateway that a test speaks by hand, with a deadline for all of it.
func dial(t *testing.T, r *rig) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", r.svc.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	return c.(*net.TCPConn)
}

func TestAnAnswerNeverWaitsForABodyThatNobodyReads(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).EnableFullDuplex() })
	bearer := "Authorization: Bearer " + r.token(nil) + "\r\n"
	for name, tc := range map[string]struct {
		head   string
		status int
	}{
		"no token":                 {"POST /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\n", 401},
		"an unknown path":          {"POST /nergens HTTP/1.1\r\nHost: hub\r\n" + bearer, 404},
		"a body on GET":            {"GET /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\n" + bearer, 400},
		"a body at the health":     {"GET /healthz HTTP/1.1\r\nHost: hub\r\n", 200},
		"a service that reads not": {"POST /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\n" + bearer, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, r)
			smuggled := "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
			if _, err := io.WriteString(c, tc.head+fmt.Sprintf("Content-Length: %d\r\n\r\n", 1000+len(smuggled))); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(c)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			if resp.StatusCode != tc.status || !resp.Close {
				t.Errorf("got %d, closing %v; want %d and the connection closed", resp.StatusCode, resp.Close, tc.status)
			}
			_, _ = io.WriteString(c, smuggled)
			if more, err := io.ReadAll(in); len(more) > 0 || os.IsTimeout(err) {
				t.Errorf("got %q %v after the answer, want the end", more, err)
			}
		})
	}
}

func TestABodyThatIsReadWholeKeepsTheConnection(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, q *http.Request) { _, _ = io.Copy(w, q.Body) })
	c := dial(t, r)
	in := bufio.NewReader(c)
	for range 3 {
		_, _ = io.WriteString(c, "POST /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer "+r.token(nil)+"\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmoi!\r\n0\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); string(text) != "moi!" || err != nil || resp.Close {
			t.Errorf("got %q %v, closing %v", text, err, resp.Close)
		}
	}
}

func TestAMalformedBodyIsTheClientsFault(t *testing.T) {
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		if _, err := io.Copy(io.Discard, q.Body); err == nil {
			t.Error("the service took the body for whole")
		}
	})
	status, text := raw(t, r, "POST /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer "+r.token(nil)+
		"\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmoi!\r\nzz\r\n")
	if status != 400 || !strings.Contains(text, `"code":"body-broken"`) {
		t.Errorf("got %d %s, want 400 body-broken", status, text)
	}
}

func TestAPauseOfTheClientIsNoSlowService(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) { s.Services[0].Upstream.Timeout = registry.Duration(100 * time.Millisecond) })
	})
	r.serve(func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		fmt.Fprint(w, n)
	})
	from, to := io.Pipe()
	go func() {
		_, _ = to.Write([]byte("x"))
		<-time.After(500 * time.Millisecond)
		_, _ = to.Write([]byte("x"))
		to.Close()
	}()
	if got := r.do("POST", path, r.token(nil), from, nil); string(got.body) != "2" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
}

func TestAClientThatLeftGetsNoAnswerAtAll(t *testing.T) {
	for name, waiting := range map[string]func(r *rig, entered, release chan struct{}){
		"at the service": func(r *rig, entered, _ chan struct{}) {
			r.serve(func(_ http.ResponseWriter, q *http.Request) {
				close(entered)
				<-q.Context().Done()
			})
		},
		"at the log": func(r *rig, entered, release chan struct{}) {
			r.sync = func(f *os.File) error {
				select {
				case <-entered:
				default:
					close(entered)
				}
				<-release
				return f.Sync()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			entered, release := make(chan struct{}), make(chan struct{})
			r := newRig(t, func(r *rig) { waiting(r, entered, release) })
			c := dial(t, r)
			_, _ = io.WriteString(c, "GET /bag/v2/adressen HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer "+r.token(nil)+"\r\n\r\n")
			select {
			case <-entered:
			case <-time.After(10 * time.Second):
				t.Fatal("the call did not come to where it waits")
			}
			_ = c.CloseWrite()
			if text, err := io.ReadAll(c); len(text) > 0 || os.IsTimeout(err) {
				t.Errorf("got %q %v, want the end of the connection", text, err)
			}
			close(release)
			if name == "at the service" {
				eventually(t, "the outcome is recorded", func() bool {
					for _, rec := range r.journal.records() {
						if rec.Outcome != nil && rec.Outcome.Status == 0 {
							return true
						}
					}
					return false
				})
			}
		})
	}
}
