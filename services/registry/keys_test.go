package registry_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

const assenKeys = "/organisaties/" + regiontest.AssenOIN + "/bewaarsleutels"

func (o *office) hostedKey(r reply) (k api.HostedKeyView) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(r.body), &k); err != nil {
		o.t.Fatal(err)
	}
	return k
}

func (o *office) touched() (list []api.TouchedView) {
	o.t.Helper()
	var all struct {
		Touched []api.TouchedView `json:"afspraken"`
	}
	if err := json.Unmarshal([]byte(o.must(200, anna, "GET", assenKeys+"/afspraken", "", nil).body), &all); err != nil {
		o.t.Fatal(err)
	}
	return all.Touched
}

// certified gives the chain that the region's authority makes of a certificate request.
func (o *office) certified(request string) string {
	o.t.Helper()
	key, err := o.region.CA.KeyPEM()
	if err != nil {
		o.t.Fatal(err)
	}
	authority, err := custody.NewAuthority(o.region.CA.CertPEM, key, 90*24*time.Hour, time.Now)
	if err != nil {
		o.t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(request))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		o.t.Fatalf("got %q, want a certificate request", request)
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		o.t.Fatal(err)
	}
	chain, err := authority.Issue(o.t.Context(), parsed)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0].Raw}))
}

// waiting gives a key of Assen with its certificate, which waits for the second person.
func (o *office) waiting() api.HostedKeyView {
	o.t.Helper()
	k := o.hostedKey(o.must(201, anna, "POST", assenKeys, "", api.HostedKeyBody{}))
	var request api.KeyRequestView
	if err := json.Unmarshal([]byte(o.must(200, anna, "GET", assenKeys+"/"+k.ID+"/aanvraag", "", nil).body), &request); err != nil {
		o.t.Fatal(err)
	}
	return o.hostedKey(o.must(200, anna, "PUT", assenKeys+"/"+k.ID+"/certificaat", "", api.CertificateBody{Chain: o.certified(request.Request)}))
}

func TestAKeyInCustodyIsFollowedByAnother(t *testing.T) {
	o := newOffice(t)
	before := o.touched()
	if len(before) != 1 || !before[0].Done {
		t.Fatalf("got %+v touched, want the contract of the region", before)
	}
	for name, tt := range map[string]struct {
		who    person
		status int
	}{"a program": {robot, 403}, "an approver alone": {aad, 403}, "a stranger": {eefje, 404}} {
		if got := o.ask(tt.who, "POST", assenKeys, "", api.HostedKeyBody{}); got.status != tt.status {
			t.Errorf("proposed by %s: got %d %s, want %d", name, got.status, got.body, tt.status)
		}
	}
	if got := o.ask(anna, "POST", assenKeys, "", api.HostedKeyBody{Algorithm: "none"}); got.status != 400 || !strings.Contains(got.body, "/algoritme") {
		t.Errorf("got %d %s, want a fault of the algorithm", got.status, got.body)
	}
	k := o.hostedKey(o.must(201, anna, "POST", assenKeys, "", api.HostedKeyBody{Algorithm: "ES384"}))
	if k.State != "pending" || k.Algorithm != "ES384" || k.Proposer != "anna" {
		t.Errorf("got %+v", k)
	}
	of := assenKeys + "/" + k.ID
	own := person{"anna", anna.oin, []string{"approver"}}
	for _, tt := range []struct {
		name, method, path string
		who                person
		body               any
		status             int
		want               string
	}{
		{"a second proposal", "POST", assenKeys, anna, api.HostedKeyBody{}, 409, "key-in-another-state"},
		{"no certificate yet", "POST", of + "/bevestiging", aad, nil, 409, "no certificate"},
		{"what is no certificate", "PUT", of + "/certificaat", anna, api.CertificateBody{Chain: "x"}, 400, "/certificaat"},
		{"another's certificate", "PUT", of + "/certificaat", anna, api.CertificateBody{Chain: string(o.region.CA.CertPEM)}, 400, "of another key"},
		{"a private key by mistake", "PUT", of + "/certificaat", anna, api.CertificateBody{Chain: regiontest.PrivatePEM(t, o.region.Signers["assen"].Key)}, 400, "private key"},
		{"a key of nobody", "GET", assenKeys + "/" + strings.Repeat("0", 64), anna, nil, 404, "not-in-directory"},
		{"another's key under the own number", "GET", "/organisaties/" + regiontest.EmmenOIN + "/bewaarsleutels/" + k.ID, eefje, nil, 404, "not-in-directory"},
	} {
		if got := o.ask(tt.who, tt.method, tt.path, "", tt.body); got.status != tt.status || !strings.Contains(got.body, tt.want) || strings.Contains(got.body, "PRIVATE") {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.want)
		}
	}
	var request api.KeyRequestView
	if err := json.Unmarshal([]byte(o.must(200, anna, "GET", of+"/aanvraag", "", nil).body), &request); err != nil {
		t.Fatal(err)
	}
	k = o.hostedKey(o.must(200, anna, "PUT", of+"/certificaat", "", api.CertificateBody{Chain: o.certified(request.Request)}))
	if got := o.ask(own, "POST", of+"/bevestiging", "", nil); got.status != 403 || !strings.Contains(got.body, "four-eyes") {
		t.Errorf("confirmed by who proposed it: got %d %s", got.status, got.body)
	}
	o.must(403, anna, "POST", of+"/bevestiging", "", nil)
	if k = o.hostedKey(o.must(200, aad, "POST", of+"/bevestiging", "", nil)); k.State != "active" || k.Confirmer != "aad" {
		t.Errorf("got %+v after the confirmation", k)
	}
	after := o.touched()
	if len(after) != 1 || !after[0].Done || after[0].Hash != before[0].Hash || after[0].Thumbprint != k.Thumbprint {
		t.Errorf("got %+v touched, want %s signed with %s", after, before[0].Hash, k.Thumbprint)
	}
	if grantOf(o.snapshot(api.Version{}, 0), before[0].Hash) == nil {
		t.Error("the contract is in force no more")
	}
	made := o.must(201, anna, "POST", "/afspraken", "", draft())
	hash := made.header.Get("Location")[len("/beheer/v1/afspraken/"):]
	o.must(200, aad, "POST", "/afspraken/"+hash+"/handtekeningen", "", api.SignatureBody{Kind: "accept"})
	for _, tt := range []struct{ act, want string }{
		{"contract.accept", k.Thumbprint}, {"contract.accept", k.ID}, {"contract.resign", before[0].Hash}, {"contract.resign", k.ID},
		{"key.confirm", `"proposer":{"client":"client-of-anna"`}, {"key.confirm", `"confirmer":{"client":"client-of-aad"`}, {"key.propose", k.ID}, {"key.install", k.Thumbprint},
	} {
		if got := o.must(200, hilda, "GET", "/auditrecords?handeling="+tt.act, "", nil).body; !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.act, got, tt.want)
		}
	}
	if got := o.must(200, anna, "GET", "/gebeurtenissen", "", nil).body; !strings.Contains(got, "certificate.renewed") {
		t.Errorf("got events %s", got)
	}
	// What the file says of the organisation later leaves the chain of the kept key where it is.
	o.region.Replace(t, "name: Gemeente Assen", "name: Gemeente Assen aan de Aa")
	o.soon("the file is taken", func() bool {
		return strings.Contains(o.must(200, anna, "GET", "/organisaties", "", nil).body, "aan de Aa")
	})
	o.stop()
	o.start()
	if grantOf(o.snapshot(api.Version{}, 0), before[0].Hash) == nil || !o.touched()[0].Done {
		t.Error("after a restart: the contract is in force no more")
	}
	o.must(200, anna, "DELETE", of, "", nil)
	if k = o.hostedKey(o.must(200, anna, "GET", of, "", nil)); k.State != "replaced" {
		t.Errorf("got %s, want a retired key", k.State)
	}
	if k = o.hostedKey(o.must(200, anna, "DELETE", of, "", nil)); k.State != "destroyed" || k.Certificate == "" {
		t.Errorf("got %+v, want a destroyed key with its certificate", k)
	}
	if grantOf(o.snapshot(api.Version{}, 0), before[0].Hash) == nil {
		t.Error("what a destroyed key signed stands no more")
	}
	o.must(409, anna, "DELETE", of, "", nil)
}

func (o *office) soon(what string, holds func() bool) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			o.t.Fatalf("not in time: %s", what)
		}
	}
}

// execute runs statements in the registry's database.
func (o *office) execute(statements ...string) {
	o.t.Helper()
	db, err := sqldb.Open(o.t.Context(), o.cfg.Database)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(o.t.Context(), s); err != nil {
			o.t.Fatal(err)
		}
	}
}

// halt makes the database refuse what a statement begins with, so that an act dies there.
const halt = ` BEGIN SELECT RAISE(ABORT, 'halted'); END`

func TestARotationThatDiesGoesOnWhereItWas(t *testing.T) {
	o := newOffice(t)
	before := o.touched()[0]
	k := o.waiting()
	confirm := assenKeys + "/" + k.ID + "/bevestiging"
	for name, trigger := range map[string]string{
		"at the key":          `CREATE TRIGGER halt BEFORE UPDATE ON custody_key` + halt,
		"at the organisation": `CREATE TRIGGER halt BEFORE INSERT ON entity WHEN NEW.kind = 'organisation'` + halt,
		"at the record":       `CREATE TRIGGER halt BEFORE INSERT ON audit_record` + halt,
	} {
		o.execute(trigger)
		o.must(503, aad, "POST", confirm, "", nil)
		o.execute(`DROP TRIGGER halt`)
		if got := o.hostedKey(o.must(200, anna, "GET", assenKeys+"/"+k.ID, "", nil)); got.State != "pending" {
			t.Errorf("died %s: the key is %s, want pending", name, got.State)
		}
		if got := o.touched()[0]; got != before {
			t.Errorf("died %s: got %+v, want %+v", name, got, before)
		}
	}
	// Confirmed, and dead before a contract is signed anew.
	o.execute(`CREATE TRIGGER halt BEFORE INSERT ON entity WHEN NEW.kind = 'contract'` + halt)
	o.must(200, aad, "POST", confirm, "", nil)
	if got := o.touched()[0]; got.Done || got.Thumbprint != before.Thumbprint {
		t.Errorf("got %+v, want a contract that waits", got)
	}
	if grantOf(o.snapshot(api.Version{}, 0), before.Hash) == nil {
		t.Error("the contract is in force no more while it waits")
	}
	o.stop()
	o.execute(`DROP TRIGGER halt`)
	o.start()
	o.soon("the contract is signed anew", func() bool { return o.touched()[0].Done })
	if got := o.touched()[0]; got.Thumbprint != k.Thumbprint || got.Hash != before.Hash {
		t.Errorf("got %+v, want %s signed with %s", got, before.Hash, k.Thumbprint)
	}
	if got := o.must(200, hilda, "GET", "/auditlog/controle", "", nil).body; strings.Contains(got, `"fout"`) {
		t.Errorf("got %s", got)
	}
}

// private gives the private keys in custody, as whoever has the database and the envelope would read them.
func (o *office) private() (all [][]byte) {
	o.t.Helper()
	secret, err := base64.StdEncoding.DecodeString(o.cfg.Envelope.Reveal())
	if err != nil {
		o.t.Fatal(err)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "noorderhub custody: private keys", 32)
	if err != nil {
		o.t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		o.t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		o.t.Fatal(err)
	}
	db, err := sqldb.Open(o.t.Context(), o.cfg.Database)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	type row struct {
		id, organisation string
		sealed           []byte
	}
	rows, err := sqldb.Collect(o.t.Context(), db.Reader(), func(r *row) []any { return []any{&r.id, &r.organisation, &r.sealed} },
		`SELECT id, organisation, sealed FROM custody_key WHERE sealed IS NOT NULL`)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range rows {
		der, err := aead.Open(nil, nil, r.sealed, []byte(r.organisation+"|"+r.id+"|contracts"))
		if err != nil {
			o.t.Fatal(err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			o.t.Fatal(err)
		}
		scalar, err := parsed.(interface{ Bytes() ([]byte, error) }).Bytes()
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, scalar, r.sealed)
	}
	return all
}

func TestNoAnswerHoldsAPrivateKey(t *testing.T) {
	o := newOffice(t)
	k := o.waiting()
	answers := []string{o.must(200, aad, "POST", assenKeys+"/"+k.ID+"/bevestiging", "", nil).body}
	next := o.must(201, anna, "POST", assenKeys, "", api.HostedKeyBody{})
	answers = append(answers, next.body)
	waits := o.hostedKey(next)
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	paths := slices.Collect(func(yield func(string) bool) {
		for template, item := range doc.Paths.Map() {
			if item.Get != nil && !yield(template) {
				return
			}
		}
	})
	read := 0
	for _, template := range paths {
		for _, id := range []string{k.ID, waits.ID, "anna", "assen-demo", "bag"} {
			path := strings.NewReplacer("{oin}", regiontest.AssenOIN, "{id}", id, "{slug}", id, "{hash}", o.touched()[0].Hash).Replace(template)
			for _, who := range []person{anna, hilda} {
				if got := o.ask(who, "GET", path, "", nil); got.status == 200 {
					answers, read = append(answers, got.body), read+1
				}
			}
		}
	}
	if read < 30 {
		t.Errorf("only %d answers were read", read)
	}
	private := o.private()
	if len(private) != 2*5 { // three of files, the one that followed, the one that waits
		t.Fatalf("got %d secrets", len(private))
	}
	all := strings.Join(answers, "\n")
	if strings.Contains(all, "PRIVATE KEY") || !strings.Contains(all, k.ID) {
		t.Error("an answer holds a private key, or none tells of the key")
	}
	for _, secret := range private {
		for _, form := range []string{hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)} {
			if strings.Contains(all, form) || bytes.Contains([]byte(all), secret) {
				t.Error("an answer holds a private key")
			}
		}
	}
}

func TestANewEnvelopeSealsEveryKeyAnew(t *testing.T) {
	o := newOffice(t)
	k := o.waiting()
	o.stop()
	old := o.cfg.Envelope
	o.cfg.Envelope = config.Secret(base64.StdEncoding.EncodeToString([]byte("another thirty-two bytes of none")[:32]))
	if _, err := o.new(); err == nil || !strings.Contains(err.Error(), "envelope") {
		t.Errorf("got %v, want a start without the older envelope refused", err)
	}
	o.cfg.OldEnvelopes = []config.Secret{old}
	o.start()
	o.must(200, aad, "POST", assenKeys+"/"+k.ID+"/bevestiging", "", nil)
	o.private() // opens all of them with the new envelope alone
	for path, want := range map[string]string{"/auditrecords?handeling=key.reseal": `{"keys":4}`, "/auditlog/controle": `"verwijderd":[]`} {
		if got := o.must(200, hilda, "GET", path, "", nil).body; !strings.Contains(got, want) || strings.Contains(got, `"fout"`) {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
