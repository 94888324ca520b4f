package registry_test

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry"
	"noorderhub.nl/hub/services/registry/api"
)

// receiver takes webhooks, on an address of this machine that Assen may use.
type receiver struct {
	*httptest.Server
	got    chan *http.Request
	bodies chan string
}

func newReceiver(t *testing.T, allowed string) *receiver {
	t.Helper()
	r := &receiver{got: make(chan *http.Request, 10), bodies: make(chan string, 10)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", allowed)
			return
		}
		body, _ := io.ReadAll(req.Body)
		r.bodies <- string(body)
		r.got <- req
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) channel() api.ChannelBody {
	return api.ChannelBody{Kind: "webhook", Address: r.URL + "/hook", CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}))}
}

func TestAnOrganisationIsToldByWebhook(t *testing.T) {
	o := newOffice(t, func(w *world) {
		w.region.Replace(t, "certificates: [assen.pem], contacts", `networks: ["127.0.0.0/8"], certificates: [assen.pem], contacts`)
	})
	r := newReceiver(t, "*")
	var c api.ChannelView
	if err := json.Unmarshal([]byte(o.must(201, anna, "POST", "/kanalen", "", r.channel()).body), &c); err != nil {
		t.Fatal(err)
	}
	if got := o.must(200, anna, "POST", "/kanalen/"+c.ID+"/proef", "", nil); !strings.Contains(got.body, `"gelukt":true`) {
		t.Errorf("got %s", got.body)
	}
	if body := <-r.bodies; !strings.Contains(body, "channel.test") {
		t.Errorf("got %s", body)
	}
	<-r.got
	if got := o.ask(anna, "POST", "/kanalen/"+c.ID+"/proef", "", nil); got.status != 429 {
		t.Errorf("tested twice at once: got %d", got.status)
	}
	// An act of a colleague goes out, signed with a key of the published set.
	o.must(200, anna, "PUT", "/clients/assen-nieuw", "*", o.clientBody())
	req := <-r.got
	if body := <-r.bodies; !strings.Contains(body, "client.registered") || strings.Contains(body, "anna") {
		t.Errorf("got %s", body)
	}
	resp, err := o.http("gateway").Get("https://" + o.svc.Addr() + "/beheer/v1/webhooksleutels")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var set struct{ Keys []struct{ Kid string } }
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("got %+v, %v", set, err)
	}
	if input := req.Header.Get("Signature-Input"); !strings.Contains(input, set.Keys[0].Kid) {
		t.Errorf("got Signature-Input %q, want key %s", input, set.Keys[0].Kid)
	}
	if got := o.must(200, robot, "GET", "/kanalen", "", nil); !strings.Contains(got.body, `"gelukt":true`) {
		t.Errorf("got %s", got.body)
	}
	if got := o.ask(eefje, "GET", "/kanalen/"+c.ID, "", nil).status; got != 404 {
		t.Errorf("got %d for the channel of another organisation", got)
	}
	if got := o.ask(aad, "DELETE", "/kanalen/"+c.ID, `"1"`, nil); got.status != 403 {
		t.Errorf("removed by an approver: got %d", got.status)
	}
	if got := o.ask(anna, "DELETE", "/kanalen/"+c.ID, `"7"`, nil); got.status != 412 {
		t.Errorf("removed as it was not: got %d %s", got.status, got.body)
	}
	o.must(204, anna, "DELETE", "/kanalen/"+c.ID, `"1"`, nil)
	if got := o.must(200, anna, "GET", "/auditrecords?soort=channel", "", nil); !strings.Contains(got.body, "subscription.put") || !strings.Contains(got.body, "subscription.remove") {
		t.Errorf("got %s", got.body)
	}
}

func TestAChannelThatCannotBeIsRefused(t *testing.T) {
	o := newOffice(t)
	far := newReceiver(t, "elders.example")
	for name, tt := range map[string]struct {
		who  person
		body api.ChannelBody
		code string
	}{
		"a private address": {anna, far.channel(), "outbound"},
		"not https":         {anna, api.ChannelBody{Kind: "webhook", Address: "http://hook.example"}, "notification-channel-invalid"},
		"no mail server":    {anna, api.ChannelBody{Kind: "mail", Address: "team@assen.example"}, "notification-channel-invalid"},
		"a name in a mail":  {anna, api.ChannelBody{Kind: "mail", Address: "Team <team@assen.example>"}, "notification-channel-invalid"},
		"an unknown event":  {anna, api.ChannelBody{Kind: "mail", Address: "team@assen.example", Types: []string{"x"}}, "notification-channel-invalid"},
		"by an approver":    {aad, far.channel(), "role-missing"},
		"by a program":      {robot, far.channel(), "role-missing"},
	} {
		if got := o.ask(tt.who, "POST", "/kanalen", "", tt.body); got.status < 400 || got.status >= 500 || !strings.Contains(got.body, tt.code) && tt.code != "outbound" {
			t.Errorf("%s: got %d %s, want %s", name, got.status, got.body, tt.code)
		}
	}
}

func TestWhatIsMutedStaysReadable(t *testing.T) {
	o := newOffice(t)
	var m api.MuteView
	until := time.Now().Add(time.Hour)
	if err := json.Unmarshal([]byte(o.must(201, anna, "POST", "/dempingen", "", api.MuteBody{Type: "client.registered", Until: until}).body), &m); err != nil {
		t.Fatal(err)
	}
	if got := o.ask(anna, "POST", "/dempingen", "", api.MuteBody{Until: until.AddDate(3, 0, 0)}); got.status != 400 {
		t.Errorf("muted for years: got %d", got.status)
	}
	if got := o.must(201, aad, "POST", "/dempingen", "", api.MuteBody{Until: until}); !strings.Contains(got.body, `"persoon":"aad"`) {
		t.Errorf("got %s; who is no technician mutes the own mailbox", got.body)
	}
	o.must(200, anna, "PUT", "/clients/assen-nieuw", "*", o.clientBody())
	if got := o.must(200, anna, "GET", "/gebeurtenissen", "", nil); !strings.Contains(got.body, "client.registered") {
		t.Errorf("got %s", got.body)
	}
	o.must(204, anna, "DELETE", "/dempingen/"+m.ID, "", nil)
	if got := o.must(200, anna, "GET", "/dempingen", "", nil); strings.Contains(got.body, m.ID) {
		t.Errorf("got %s", got.body)
	}
}

func TestATeamIsToldByMail(t *testing.T) {
	if exec.CommandContext(t.Context(), "/usr/bin/aiosmtpd", "--version").Run() != nil {
		t.Skip("aiosmtpd is not here; infra/test.sh installs python3-aiosmtpd")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port for the mail server
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	smtp := exec.CommandContext(t.Context(), "/usr/bin/aiosmtpd", "-n", "-l", address, "-c", "aiosmtpd.handlers.Debugging", "stdout")
	out, err := smtp.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	smtp.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	if err := smtp.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = smtp.Process.Kill()
		_ = smtp.Wait()
	})
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	o := newOffice(t, func(w *world) {
		w.cfg.Notifications.Mail = registry.Mail{Server: address, Security: "none", From: "hub@hub.example.nl"}
	})
	o.must(201, anna, "POST", "/kanalen", "", api.ChannelBody{Kind: "mail", Address: "team@assen.example", Language: "en"})
	o.must(200, anna, "PUT", "/clients/assen-nieuw", "*", o.clientBody())
	var text strings.Builder
	deadline := time.After(time.Minute) // the server may still be starting: then the first try is repeated after half a minute
	for {
		select {
		case line := <-lines:
			text.WriteString(line + "\n")
			if strings.Contains(line, "END MESSAGE") {
				if got := text.String(); !strings.Contains(got, "To: ") || !strings.Contains(got, "team@assen.example") || !strings.Contains(got, "assen-nieuw") || strings.Contains(got, "anna") {
					t.Errorf("got %s", got)
				}
				return
			}
		case <-deadline:
			t.Fatalf("no mail came; got %s", text.String())
		}
	}
}
