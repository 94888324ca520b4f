package load

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
)

const wrkOutput = `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.07ms    2.00ms  30.00ms   90.00%
    Req/Sec    20.00k     1.00k   21.00k    66.00%
  Latency Distribution
     50%  512.00us
     75%    1.00ms
     90%    2.00ms
     99%    4.46ms
  20123 requests in 1.10s, 15.40MB read
Requests/sec:  18293.63
Transfer/sec:     14.00MB
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk([]byte(wrkOutput))
	if err != nil {
		t.Fatal(err)
	}
	want := measure.Load{Operations: 20123, Took: 1100 * time.Millisecond, P50: 512 * time.Microsecond, P99: 4460 * time.Microsecond}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseWrkRefuses(t *testing.T) {
	for name, out := range map[string]string{
		"answers that are refusals": strings.Replace(wrkOutput, "Requests/sec", "  Non-2xx or 3xx responses: 3\nRequests/sec", 1),
		"connections that broke":    strings.Replace(wrkOutput, "Requests/sec", "  Socket errors: connect 0, read 2, write 0, timeout 0\nRequests/sec", 1),
		"an output without figures": "unable to connect to 127.0.0.1:8080 Connection refused\n",
		"no output":                 "",
	} {
		t.Run(name, func(t *testing.T) {
			if l, err := parseWrk([]byte(out)); err == nil {
				t.Errorf("got %+v, want an error", l)
			}
		})
	}
}

// forms posts numbers to a server that answers with what it got and refuses a number that it knows.
func forms(t *testing.T, answer func(w http.ResponseWriter, body string)) *Forms {
	t.Helper()
	var mu sync.Mutex
	seen, made := map[string]bool{}, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		again := seen[string(body)]
		seen[string(body)] = true
		mu.Unlock()
		if again {
			t.Errorf("body %s came twice", body)
		}
		answer(w, string(body))
	}))
	t.Cleanup(srv.Close)
	return &Forms{
		HTTP: srv.Client(), URL: srv.URL, Connections: 4,
		Make: func(n int) ([]string, error) {
			bodies := make([]string, n)
			for i := range bodies {
				made++
				bodies[i] = strconv.Itoa(made)
			}
			return bodies, nil
		},
		Check: func([]byte) error { return nil },
	}
}

func TestFormsSendEachBodyOnce(t *testing.T) {
	f := forms(t, func(w http.ResponseWriter, body string) { _, _ = io.WriteString(w, body) })
	for range 2 {
		got, err := f.Run(t.Context(), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if got.Operations == 0 || got.P50 == 0 || got.P99 < got.P50 || got.Took == 0 {
			t.Errorf("got %+v, want figures", got)
		}
	}
}

func TestFormsRefuse(t *testing.T) {
	wrong := errors.New("wrong")
	for name, change := range map[string]func(*Forms){
		"an answer that does not pass the check": func(f *Forms) { f.Check = func([]byte) error { return wrong } },
		"bodies that cannot be made":             func(f *Forms) { f.Make = func(int) ([]string, error) { return nil, wrong } },
		"a server that is not there":             func(f *Forms) { f.URL = "http://127.0.0.1:1" },
	} {
		t.Run(name, func(t *testing.T) {
			f := forms(t, func(w http.ResponseWriter, body string) { _, _ = io.WriteString(w, body) })
			change(f)
			if l, err := f.Run(t.Context(), 50*time.Millisecond); err == nil {
				t.Errorf("got %+v, want an error", l)
			}
		})
	}
	t.Run("a status other than 200", func(t *testing.T) {
		f := forms(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusTooManyRequests) })
		if l, err := f.Run(t.Context(), 50*time.Millisecond); err == nil {
			t.Errorf("got %+v, want an error", l)
		}
	})
}

func TestProbe(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "moi")
	}))
	t.Cleanup(srv.Close)
	for name, test := range map[string]struct {
		bearer string
		status int
		body   string
		fails  bool
	}{
		"the right answer":         {"right", http.StatusOK, "moi", false},
		"a refusal as demanded":    {"", http.StatusUnauthorized, "", false},
		"another body":             {"right", http.StatusOK, "hoi", true},
		"a refusal nobody demands": {"wrong", http.StatusOK, "moi", true},
		"an answer nobody demands": {"right", http.StatusUnauthorized, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			err := Probe(t.Context(), srv.Client(), srv.URL, test.bearer, test.status, []byte(test.body))
			if (err != nil) != test.fails {
				t.Errorf("got %v, want an error: %v", err, test.fails)
			}
		})
	}
}
