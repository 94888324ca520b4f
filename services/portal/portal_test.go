package portal

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/portal/api"
)

const hub = "https://hub.example.nl"

func good() Config {
	cfg := Defaults()
	cfg.Listen, cfg.Hub = "127.0.0.1:0", hub
	cfg.Workload = workload.Files{Cert: "c", Key: "k", CA: "a"}
	cfg.Security = Security{Contact: []string{"mailto:security@hub.example.nl"}, Expires: time.Now().AddDate(0, 6, 0), Policy: hub + "/beleid"}
	return cfg
}

func handler(t *testing.T, status Status) http.Handler {
	t.Helper()
	h, err := newHandler(good(), Deps{Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Status: status})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryCodeHasAPageInBothLanguages(t *testing.T) {
	h := handler(t, nil)
	dutch, err := api.Codes("nl")
	if err != nil {
		t.Fatal(err)
	}
	english, err := api.Codes("en")
	if err != nil {
		t.Fatal(err)
	}
	if len(dutch) < 50 || !slices.Equal(dutch, english) {
		t.Fatalf("codes: %d in Dutch, %d in English, want the same", len(dutch), len(english))
	}
	for _, language := range api.Languages() {
		list := get(h, "/portaal/fouten/?taal="+language).Body.String()
		for _, code := range dutch {
			w := get(h, api.Page(code)+"?taal="+language)
			body := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(body, `<html lang="`+language+`">`) || !strings.Contains(body, "<code>"+code+"</code>") {
				t.Errorf("%s in %s: status %d", code, language, w.Code)
			}
			if !strings.Contains(list, `href="/portaal/fouten/`+code+`?taal=`+language+`"`) {
				t.Errorf("%s is not in the list in %s", code, language)
			}
		}
	}
}

func TestLanguage(t *testing.T) {
	h := handler(t, nil)
	tests := []struct{ name, target, accept, want string }{
		{"nothing asked", "/portaal/", "", "nl"},
		{"a browser in English", "/portaal/", "en-GB,en;q=0.9,nl;q=0.5", "en"},
		{"a browser in Dutch with English second", "/portaal/", "nl;q=0.9, en;q=0.5", "nl"},
		{"a browser in another language", "/portaal/", "de-DE,fr;q=0.5", "nl"},
		{"a language that is refused", "/portaal/", "en;q=0", "nl"},
		{"nonsense", "/portaal/", "en;q=x,,;;", "nl"},
		{"a choice beats the browser", "/portaal/?taal=nl", "en", "nl"},
		{"a choice we do not have", "/portaal/?taal=fy", "en", "en"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, tt.target, "Accept-Language", tt.accept)
			if got := w.Header().Get("Content-Language"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	h := handler(t, nil)
	tests := []struct {
		name, target string
		status       int
	}{
		{"the root", "/", 200},
		{"the landing page", "/portaal/", 200},
		{"the landing page without slash", "/portaal", 200},
		{"the list of errors without slash", "/portaal/fouten", 200},
		{"a code that is not there", "/portaal/fouten/nope", 404},
		{"a path that is not there", "/portaal/x", 404},
		{"a code with markup", "/portaal/fouten/%3Cscript%3E", 404},
		{"the status page", "/status", 200},
	}
	heading := regexp.MustCompile(`<h1>`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, language := range api.Languages() {
				w := get(h, tt.target+"?taal="+language)
				body := w.Body.String()
				if w.Code != tt.status {
					t.Fatalf("got %d, want %d", w.Code, tt.status)
				}
				if len(heading.FindAllString(body, -1)) != 1 {
					t.Error("the page has not exactly one h1")
				}
				for _, want := range []string{`<html lang="` + language + `">`, `href="#inhoud"`, `<main id="inhoud"`, "<title>", `name="viewport"`} {
					if !strings.Contains(body, want) {
						t.Errorf("the page in %s has no %s", language, want)
					}
				}
				for _, no := range []string{"<script", "style=", "<style", "onclick", "ZgotmplZ", "<p></p>", "></a>"} {
					if strings.Contains(body, no) {
						t.Errorf("the page in %s holds %s", language, no)
					}
				}
			}
		})
	}
}

func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	h := handler(t, nil)
	for _, target := range []string{"/portaal/", "/portaal/stijl.css", "/portaal/nope", "/status", "/.well-known/security.txt", "//portaal"} {
		got := get(h, target).Header()
		csp := got.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: CSP %q lacks %s", target, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "data:") {
			t.Errorf("%s: CSP %q has an exception", target, csp)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		} {
			if got.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", target, header, got.Get(header), want)
			}
		}
		if !strings.HasPrefix(got.Get("Strict-Transport-Security"), "max-age=31536000") {
			t.Errorf("%s: HSTS is %q", target, got.Get("Strict-Transport-Security"))
		}
	}
}

func TestStatusTellsOnlyWhatIsKnown(t *testing.T) {
	all := func(up bool) map[string]bool {
		return map[string]bool{"gateway": true, "authserver": true, "registry": true, "address": true, "cases": true, "journal": up, "portal": true}
	}
	const ok, down, unknown = "ok", "verstoord", "onbekend"
	tests := []struct {
		name   string
		status Status
		want   string            // of the whole
		parts  map[string]string // some of the parts
		dutch  string
		no     string // must not be on the page
	}{
		{"nobody tells", nil, unknown, map[string]string{"portal": ok, "gateway": unknown, "journal": unknown}, "weten we nu niet", "Alles werkt."},
		{"all are ready", func(context.Context) map[string]bool { return all(true) }, ok, map[string]string{"gateway": ok, "journal": ok}, "Alles werkt.", "Onbekend"},
		{"one is not", func(context.Context) map[string]bool { return all(false) }, down, map[string]string{"gateway": ok, "journal": down}, "Er is een storing.", "Onbekend"},
		{"one is not and others are unknown", func(context.Context) map[string]bool { return map[string]bool{"journal": false} }, down,
			map[string]string{"gateway": unknown, "journal": down, "portal": ok}, "Er is een storing.", "Alles werkt."},
		{"a part the portal has no words for", func(context.Context) map[string]bool { return map[string]bool{"cases": true} }, unknown,
			map[string]string{"cases": ok, "gateway": unknown}, "<th scope=\"row\">cases</th>", "Alles werkt."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := handler(t, tt.status)
			var got struct {
				Status     string `json:"status"`
				Components []struct {
					Name   string `json:"naam"`
					Status string `json:"status"`
				} `json:"onderdelen"`
			}
			w := get(h, "/status", "Accept", "application/json")
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			parts := map[string]string{}
			for _, c := range got.Components {
				parts[c.Name] = c.Status
			}
			if got.Status != tt.want {
				t.Errorf("status: got %s, want %s", got.Status, tt.want)
			}
			for part, want := range tt.parts {
				if parts[part] != want {
					t.Errorf("%s: got %q, want %s", part, parts[part], want)
				}
			}
			page := get(h, "/status?taal=nl", "Accept", "text/html,application/json;q=0.9").Body.String()
			if !strings.Contains(page, tt.dutch) || strings.Contains(page, tt.no) {
				t.Errorf("the page must say %q and not %q:\n%s", tt.dutch, tt.no, page)
			}
		})
	}
}

// The page is public: a crowd of readers must not become a crowd of readiness checks.
func TestStatusIsMeasuredOncePerFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		measured := 0
		h := handler(t, func(ctx context.Context) map[string]bool {
			measured++
			return map[string]bool{"gateway": ctx.Err() == nil}
		})
		for range 10 {
			gone, cancel := context.WithCancel(t.Context())
			cancel() // a reader that leaves
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/status", nil))
			if strings.Contains(w.Body.String(), "Storing") {
				t.Fatal("a reader that leaves makes a part look down")
			}
		}
		if measured != 1 {
			t.Errorf("ten readers at once: measured %d times, want 1", measured)
		}
		time.Sleep(6 * time.Second)
		get(h, "/status")
		if measured != 2 {
			t.Errorf("a reader six seconds later: measured %d times, want 2", measured)
		}
	})
}

func TestSecurityTxt(t *testing.T) {
	w := get(handler(t, nil), "/.well-known/security.txt")
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("content type: %s", got)
	}
	fields := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			t.Fatalf("line %q is no field", line)
		}
		fields[name] = value
	}
	expires, err := time.Parse(time.RFC3339, fields["Expires"])
	if err != nil || time.Until(expires) <= 0 || time.Until(expires) > 366*24*time.Hour {
		t.Errorf("Expires: %q", fields["Expires"])
	}
	if fields["Contact"] != "mailto:security@hub.example.nl" || fields["Canonical"] != hub+"/.well-known/security.txt" ||
		fields["Preferred-Languages"] != "nl, en" || fields["Policy"] != hub+"/beleid" {
		t.Errorf("fields: %v", fields)
	}
}

func TestConfigurationIsRefusedWithAllFaults(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"as it should be", func(*Config) {}, nil},
		{"an expired security.txt", func(c *Config) { c.Security.Expires = now.Add(-time.Hour) }, []string{"has passed"}},
		{"one that is valid too long", func(c *Config) { c.Security.Expires = now.AddDate(2, 0, 0) }, []string{"more than a year"}},
		{"no date", func(c *Config) { c.Security.Expires = time.Time{} }, []string{"security.expires is missing"}},
		{"a contact with a line end", func(c *Config) { c.Security.Contact = []string{"mailto:a@b\nPolicy: x"} }, []string{"security.contact"}},
		{"a contact without scheme", func(c *Config) { c.Security.Contact = []string{"a@b.nl"} }, []string{"security.contact"}},
		{"a hub with a path", func(c *Config) { c.Hub = hub + "/" }, []string{"hub is not"}},
		{"several at once", func(c *Config) { c.Listen, c.Security.Contact, c.Telemetry.Ratio = "", nil, 2 }, []string{"listen", "security.contact", "ratio"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good()
			tt.change(&cfg)
			err := cfg.validate(now)
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not among the faults: %v", want, err)
				}
			}
		})
	}
	text := "listen: 127.0.0.1:0\nhub: " + hub + "\nworkload: {cert: c, key: k, ca: a}\nsecurity: {contact: ['mailto:a@b.nl'], expires: " +
		now.AddDate(0, 1, 0).UTC().Format(time.RFC3339) + "}\n"
	cfg := Defaults()
	if err := config.Parse([]byte(text), &cfg); err != nil {
		t.Errorf("a configuration file: %v", err)
	}
}

func TestThePortalServesTheGatewayOnly(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	load := func(part string) (workload.Files, *workload.Identity) {
		pair, err := ca.Issue(pki.Part(part))
		if err != nil {
			t.Fatal(err)
		}
		files, err := pair.WriteFiles(t.TempDir(), part)
		if err != nil {
			t.Fatal(err)
		}
		id, err := workload.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		return files, id
	}
	cfg := good()
	cfg.Workload, _ = load(Part)
	s, err := New(t.Context(), cfg, Deps{Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	_, gateway := load("gateway")
	_, address := load("address")
	client := gateway.HTTPClient(Part)
	resp, err := client.Get("https://" + s.Addr() + "/portaal/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "Noorderhub") {
		t.Errorf("got %d", resp.StatusCode)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	if resp, err := address.HTTPClient(Part).Get("https://" + s.Addr() + "/portaal/"); err == nil {
		_ = resp.Body.Close()
		t.Error("another part got an answer")
	}
	client.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}
