package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

const (
	assen     = oin.OIN("00000099000000002000")
	groningen = oin.OIN("00000099000000001000")
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// python finds an interpreter that has a module. Debian's packages belong to Debian's own.
func python(t *testing.T, module string) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import "+module).Run() == nil {
			return name
		}
	}
	t.Skipf("no python3 with %s is here; infra/test.sh installs python3-%s", module, module)
	return ""
}

// received is a message as the foreign server understood it.
type received struct {
	From     string      `json:"from"`
	To       []string    `json:"to"`
	TLS      bool        `json:"tls"`
	User     bool        `json:"user"`
	Headers  [][2]string `json:"headers"`
	Body     string      `json:"body"`
	Defects  []string    `json:"defects"`
	Raw      string      `json:"raw"`
	HelloFor string      `json:"helo"`
}

func (r received) header(t *testing.T, name string) string {
	t.Helper()
	var got []string
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			got = append(got, h[1])
		}
	}
	if len(got) != 1 {
		t.Fatalf("got %d headers %s in %v, want one", len(got), name, r.Headers)
	}
	return got[0]
}

// server is the foreign mail server.
type server struct {
	address string
	roots   *x509.CertPool
	lines   *bufio.Scanner
}

func startServer(t *testing.T, mode string) *server {
	t.Helper()
	interpreter := python(t, "aiosmtpd")
	cert, key, roots := certificate(t)
	cmd := exec.CommandContext(t.Context(), interpreter, "testdata/server.py", cert, key, mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	s := &server{roots: roots, lines: bufio.NewScanner(out)}
	s.lines.Buffer(nil, 1<<20)
	if !s.lines.Scan() {
		t.Fatal("the mail server did not start")
	}
	s.address = net.JoinHostPort("127.0.0.1", s.lines.Text())
	return s
}

func (s *server) next(t *testing.T) received {
	t.Helper()
	if !s.lines.Scan() {
		t.Fatal("the mail server has taken nothing")
	}
	var r received
	if err := json.Unmarshal(s.lines.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	r.Body = strings.ReplaceAll(r.Body, "\r\n", "\n")
	return r
}

func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{cert: certPEM, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return cert, key, roots
}

func amsterdam(t *testing.T) *time.Location {
	t.Helper()
	place, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func options(t *testing.T, s *server) Options {
	t.Helper()
	return Options{
		Server: s.address, Roots: s.roots, User: "hub", Password: "hunter2", From: "Noorderhub <meldingen@hub.example.nl>", Hub: "https://hub.example.nl",
		Location: amsterdam(t), Now: func() time.Time { return noon },
		Name: func(o oin.OIN) string {
			return map[oin.OIN]string{assen: "Gemeente Assen", groningen: "Gemeente Groningen – één"}[o]
		},
	}
}

func sender(t *testing.T, o Options) *Sender {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sample makes an event of a type with facts of the right shape.
func sample(t notify.Type) notify.Event {
	values := map[notify.Fact]string{
		notify.Days: "30", notify.Count: "7", notify.EndDate: "2026-12-23", notify.Since: "2026-11-01", notify.Counterparty: string(groningen),
		notify.Supplier: string(groningen), notify.Provider: string(groningen), notify.ServiceSlug: "bag", notify.APIVersion: "2.1.0", notify.StepName: "voorwaarden",
	}
	e := notify.Event{
		ID: "0193a1b2-0000-7000-8000-00000000000" + string('0'+rune(len(t)%10)), Type: t, Organisation: assen,
		Subject: notify.Subject{Kind: t.Subject(), ID: "assen-zaken"}, Facts: notify.Facts{}, At: noon,
	}
	for _, name := range t.Facts() {
		e.Facts[name] = values[name]
	}
	return e
}

func to(address string, events ...notify.Event) notify.Message {
	return notify.Message{Channel: notify.Channel{ID: "c1", Organisation: assen, Kind: notify.Mail, Address: address, Language: notify.Dutch}, Events: events}
}

func TestAForeignServerUnderstandsEveryMail(t *testing.T) {
	srv := startServer(t, "")
	s := sender(t, options(t, srv))
	if err := s.Send(t.Context(), to("team@assen.nl", sample(notify.ContractExpires))); err != nil {
		t.Fatal(err)
	}
	got := srv.next(t)
	if got.From != "meldingen@hub.example.nl" || !slices.Equal(got.To, []string{"team@assen.nl"}) || !got.TLS || !got.User || got.HelloFor != "hub.example.nl" || len(got.Defects) > 0 {
		t.Errorf("got %+v", got)
	}
	for name, want := range map[string]string{
		"Subject":        "Nog 30 dagen: een afspraak met Gemeente Groningen – één loopt af",
		"From":           "Noorderhub <meldingen@hub.example.nl>",
		"To":             "team@assen.nl",
		"Date":           "Mon, 23 Nov 2026 12:00:00 +0100",
		"Auto-Submitted": "auto-generated",
		"List-Id":        "Noorderhub <meldingen.hub.example.nl>",
		"Content-Type":   `text/plain; charset="utf-8"`,
	} {
		if h := got.header(t, name); strings.Trim(h, "<>") != strings.Trim(want, "<>") {
			t.Errorf("%s: got %q, want %q", name, h, want)
		}
	}
	for _, want := range []string{"Aan Gemeente Assen,", "tot en met 23 december 2026", "assen-zaken", "https://hub.example.nl/portaal/"} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("%q is missing in %q", want, got.Body)
		}
	}
	for _, line := range strings.Split(got.Raw, "\n") {
		if len(line) > 85 {
			t.Errorf("a line of %d characters: %q", len(line), line)
		}
	}

	// The same event to the same mailbox is recognised; another is another.
	id := got.header(t, "Message-ID")
	for address, same := range map[string]bool{"team@assen.nl": true, "other@assen.nl": false} {
		if err := s.Send(t.Context(), to(address, sample(notify.ContractExpires))); err != nil {
			t.Fatal(err)
		}
		if again := srv.next(t).header(t, "Message-ID"); (again == id) != same {
			t.Errorf("to %s: got %s after %s", address, again, id)
		}
	}
	if strings.Contains(id, "assen") || !strings.HasSuffix(id, "@hub.example.nl>") {
		t.Errorf("got id %s", id)
	}
}

func TestADigestListsItsEvents(t *testing.T) {
	srv := startServer(t, "")
	s := sender(t, options(t, srv))
	m := to("team@assen.nl", sample(notify.KeyExpires), sample(notify.ServiceDeprecated))
	m.Digest, m.Channel.Language = true, notify.English
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := srv.next(t)
	if subject := got.header(t, "Subject"); subject != "Noorderhub: 2 notifications" {
		t.Errorf("got %q", subject)
	}
	for _, want := range []string{
		"- 23 November 12:00  30 days left: a key of assen-zaken expires\n", "- 23 November 12:00  Version 2.1.0 of assen-zaken goes away on 23 December 2026\n", "To Gemeente Assen,",
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("%q is missing in %q", want, got.Body)
		}
	}
}

func TestWhatTheServerSaysDecidesWhatHappensNext(t *testing.T) {
	srv := startServer(t, "")
	for name, tt := range map[string]struct {
		address string
		change  func(*Options)
		class   notify.FailureClass
		result  string
	}{
		"no such mailbox":      {"nobody@assen.nl", nil, notify.Undeliverable, "SMTP 550 at recipient"},
		"a greylist":           {"later@assen.nl", nil, notify.Refused, "SMTP 451 at recipient"},
		"a relay that's shut":  {"relay@assen.nl", nil, notify.Refused, "SMTP 554 at recipient"},
		"a full mailbox":       {"full@assen.nl", nil, notify.Undeliverable, "SMTP 552 at message"},
		"a wrong password":     {"team@assen.nl", func(o *Options) { o.Password = "wrong" }, notify.Away, "SMTP 535 at mail server"},
		"no password":          {"team@assen.nl", func(o *Options) { o.User = "" }, notify.Away, "SMTP 530 at sender"},
		"an unknown authority": {"team@assen.nl", func(o *Options) { o.Roots = x509.NewCertPool() }, notify.Away, "mail server away"},
		"nobody there":         {"team@assen.nl", func(o *Options) { o.Server = "127.0.0.1:1" }, notify.Away, "mail server away"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, srv)
			if tt.change != nil {
				tt.change(&o)
			}
			err := sender(t, o).Send(t.Context(), to(tt.address, sample(notify.KeyAdded)))
			var f *notify.Failure
			if !errors.As(err, &f) || f.Class != tt.class || f.Result != tt.result {
				t.Fatalf("got %#v, want %q", err, tt.result)
			}
			if strings.Contains(f.Error(), tt.address) || strings.Contains(f.Error(), "hunter2") {
				t.Errorf("the error tells the address or the password: %v", f)
			}
		})
	}
}

func TestNothingIsSentWithoutTLS(t *testing.T) {
	srv := startServer(t, "plain")
	o := options(t, srv)
	err := sender(t, o).Send(t.Context(), to("team@assen.nl", sample(notify.KeyAdded)))
	var f *notify.Failure
	if !errors.As(err, &f) || f.Class != notify.Away || !strings.Contains(f.Error(), "STARTTLS") {
		t.Errorf("got %v from a server without STARTTLS", err)
	}
	o.Security, o.User = None, ""
	if err := sender(t, o).Send(t.Context(), to("team@assen.nl", sample(notify.KeyAdded))); err != nil {
		t.Errorf("got %v without TLS on loopback", err)
	}
	if got := srv.next(t); got.TLS || got.User {
		t.Errorf("got %+v", got)
	}
}

func TestASilentServerIsLeftInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	met := make(chan net.Conn, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			io.WriteString(conn, "220 silent\r\n")
			met <- conn
		}
	}()
	o := options(t, &server{address: l.Addr().String()})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = sender(t, o).Send(ctx, to("team@assen.nl", sample(notify.KeyAdded)))
	var f *notify.Failure
	if !errors.As(err, &f) || f.Class != notify.Away {
		t.Errorf("got %v", err)
	}
	(<-met).Close()
}

func TestASenderThatCannotWorkIsRefusedWithAllItsFaults(t *testing.T) {
	good := Options{Server: "mail.example.nl:587", From: "a@b.nl", Hub: "https://hub.example.nl", Location: time.UTC}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"nothing":             {func(o *Options) { *o = Options{} }, []string{"server", "from", "hub", "location"}},
		"TLS left out":        {func(o *Options) { o.Security = None }, []string{"loopback"}},
		"a password in plain": {func(o *Options) { o.Server, o.Security, o.User = "127.0.0.1:25", None, "hub" }, []string{"password"}},
		"a header in from":    {func(o *Options) { o.From = "A <a@b.nl>\r\nBcc: c@d.nl" }, []string{"from"}},
		"another security":    {func(o *Options) { o.Security = "ssl" }, []string{"security"}},
	} {
		o := good
		tt.change(&o)
		_, err := New(o)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q in it", name, err, want)
			}
		}
	}
}
