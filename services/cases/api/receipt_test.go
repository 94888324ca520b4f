package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/cases/api"
)

const (
	hubOIN    = "00000099000000009000"
	groningen = "00000099000000001000"
	assen     = "00000099000000002000"
	transfer  = "0193a000-0000-7000-8000-000000000001"
)

var moment = time.Now().UTC().Truncate(time.Second)

// party is an organisation with a contract certificate and a receipt key under a statement.
type party struct {
	oin       string
	pair      *pki.Pair
	key       *ecdsa.PrivateKey
	kid       string
	statement string
}

func newParty(t *testing.T, ca *pki.CA, oin string, change func(*api.Statement)) party {
	t.Helper()
	pair, err := ca.Issue(pki.Request{CommonName: oin, OIN: oin})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := api.NewJWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	st := api.NewStatement(oin, jwk, moment.Add(-time.Hour), moment.Add(time.Hour), moment)
	if change != nil {
		change(&st)
	}
	p := party{oin: oin, pair: pair, key: key, kid: jwk.KeyID()}
	if p.statement, err = api.SignStatement(contract.Signer{Key: pair.Key(), Certificate: pair.Certificate()}, st); err != nil {
		t.Fatal(err)
	}
	return p
}

// sign makes a receipt with the party's key.
func (p party) sign(t *testing.T, r api.Receipt) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.SignES256(p.key, jws.EncodeHeader([]byte(`{"alg":"ES256","kid":"`+p.kid+`","typ":"`+api.TypeReceipt+`"}`)), canonical)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// world is a hub, two municipalities and the authority that they trust.
type world struct {
	ca                   *pki.CA
	hub, sender, receive party
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ca, err := pki.NewCA("region")
	if err != nil {
		t.Fatal(err)
	}
	return &world{ca: ca, hub: newParty(t, ca, hubOIN, nil), sender: newParty(t, ca, groningen, nil), receive: newParty(t, ca, assen, nil)}
}

func (w *world) trust() api.Trust { return api.Trust{Anchors: w.ca.Pool(), Hub: hubOIN} }

// chain signs receipts; change may alter each before it is signed, and by whom.
func (w *world) chain(t *testing.T, change func(n int, r *api.Receipt, by *party)) api.Bundle {
	t.Helper()
	manifest := api.Manifest{CaseSHA256: strings.Repeat("ab", 32), Bytes: 808}
	b := api.Bundle{Transfer: transfer, Statements: []string{w.hub.statement, w.receive.statement, w.sender.statement}}
	for i, kind := range []string{api.StateOffered, api.StateAccepted, api.StateDelivered, api.StateAcknowledged} {
		by := w.hub
		if i%2 == 1 {
			by = w.receive
		}
		r := api.Receipt{
			ID: kind, Transfer: transfer, Sequence: i + 1, Type: kind, Actor: by.oin, At: moment, ManifestSHA256: manifest.SHA256(),
		}
		if i == 0 {
			r.Details = api.Details{Sender: groningen, Receiver: assen, Manifest: &manifest}
		} else {
			r.Previous = api.ReceiptHash(b.Receipts[i-1])
		}
		if change != nil {
			change(i+1, &r, &by)
		}
		b.Receipts = append(b.Receipts, by.sign(t, r))
	}
	return b
}

func TestAWholeChainVerifiesAndSoDoesItsBeginning(t *testing.T) {
	w := newWorld(t)
	b := w.chain(t, nil)
	for n := 1; n <= 4; n++ {
		part := b
		part.Receipts = b.Receipts[:n]
		receipts, err := api.VerifyReceipts(part, w.trust())
		if err != nil || len(receipts) != n {
			t.Errorf("%d receipts: got %d, %v", n, len(receipts), err)
		}
	}
	if _, err := api.VerifyReceipts(b, api.Trust{Anchors: w.ca.Pool()}); err != nil {
		t.Errorf("without knowing the hub: %v", err)
	}
}

func TestAChainThatWasTamperedWithIsRefused(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	good := w.chain(t, nil)
	with := func(change func(n int, r *api.Receipt, by *party)) api.Bundle { return w.chain(t, change) }
	at := func(n int, change func(*api.Receipt, *party)) api.Bundle {
		return with(func(i int, r *api.Receipt, by *party) {
			if i == n {
				change(r, by)
			}
		})
	}
	edit := func(change func(*api.Bundle)) api.Bundle {
		b := api.Bundle{Transfer: good.Transfer, Receipts: slices.Clone(good.Receipts), Statements: slices.Clone(good.Statements)}
		change(&b)
		return b
	}
	manifest := api.Manifest{CaseSHA256: strings.Repeat("cd", 32), Bytes: 1}
	for name, tc := range map[string]struct {
		bundle api.Bundle
		want   string
	}{
		"no receipts":                      {edit(func(b *api.Bundle) { b.Receipts = nil }), "no receipts"},
		"another transfer":                 {edit(func(b *api.Bundle) { b.Transfer = "x" }), "another transfer"},
		"one left out":                     {edit(func(b *api.Bundle) { b.Receipts = slices.Delete(b.Receipts, 1, 2) }), "does not follow"},
		"two in another order":             {edit(func(b *api.Bundle) { b.Receipts[1], b.Receipts[2] = b.Receipts[2], b.Receipts[1] }), "does not follow"},
		"one twice":                        {edit(func(b *api.Bundle) { b.Receipts = append(b.Receipts, b.Receipts[3]) }), "number 4"},
		"a statement left out":             {edit(func(b *api.Bundle) { b.Statements = b.Statements[:1] }), "no statement"},
		"a signature changed":              {edit(func(b *api.Bundle) { b.Receipts[0] = flip(b.Receipts[0]) }), "does not verify"},
		"a statement changed":              {edit(func(b *api.Bundle) { b.Statements[0] = flip(b.Statements[0]) }), "does not verify"},
		"statements of another authority":  {edit(func(b *api.Bundle) { b.Statements = other.chain(t, nil).Statements }), "unknown authority"},
		"an access token for a receipt":    {edit(func(b *api.Bundle) { b.Receipts[0] = strings.Replace(b.Receipts[0], ".", "..", 1) }), "not a compact JWS"},
		"the sender accepts":               {at(2, func(r *api.Receipt, by *party) { *by = w.sender; r.Actor = groningen }), "who answers for it"},
		"the hub accepts for the receiver": {at(2, func(r *api.Receipt, by *party) { *by = w.hub; r.Actor = hubOIN }), "who answers for it"},
		"the receiver delivers to itself":  {at(3, func(r *api.Receipt, by *party) { *by = w.receive; r.Actor = assen }), "who answers for it"},
		"another name under the own key":   {at(2, func(r *api.Receipt, _ *party) { r.Actor = groningen }), "signed with a key of"},
		"another manifest halfway":         {at(3, func(r *api.Receipt, _ *party) { r.ManifestSHA256 = manifest.SHA256() }), "another manifest"},
		"an offer whose manifest differs":  {at(1, func(r *api.Receipt, _ *party) { r.Details.Manifest = &manifest }), "another manifest"},
		"an offer without manifest":        {at(1, func(r *api.Receipt, _ *party) { r.Details.Manifest = nil }), "no manifest"},
		"a number that does not fit":       {at(3, func(r *api.Receipt, _ *party) { r.Sequence = 7 }), "number 7"},
		"a type that nobody knows":         {at(4, func(r *api.Receipt, _ *party) { r.Type = "verscheurd" }), "unknown type"},
		"a link to something else":         {at(3, func(r *api.Receipt, _ *party) { r.Previous = api.ReceiptHash("x") }), "does not name the receipt before it"},
		"made when the key was over":       {at(4, func(r *api.Receipt, _ *party) { r.At = moment.Add(2 * time.Hour) }), "outside the time"},
		"made before the key was there":    {at(4, func(r *api.Receipt, _ *party) { r.At = moment.Add(-2 * time.Hour) }), "outside the time"},
		"offered by a municipality as a hub": {with(func(n int, r *api.Receipt, by *party) {
			if n%2 == 1 {
				*by = w.sender
				r.Actor = groningen
			}
		}), "who answers for it"},
	} {
		if _, err := api.VerifyReceipts(tc.bundle, w.trust()); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
		}
	}
	if _, err := api.VerifyReceipts(good, api.Trust{Hub: hubOIN}); err == nil {
		t.Error("verified without anchors")
	}
}

// flip changes one bit of the signature.
func flip(compact string) string {
	at := strings.LastIndex(compact, ".") + 1
	signature, _ := base64.RawURLEncoding.DecodeString(compact[at:])
	signature[3] ^= 1
	return compact[:at] + base64.RawURLEncoding.EncodeToString(signature)
}

func TestAStatementIsRefusedWhenItSaysMoreThanItsSignerMay(t *testing.T) {
	w := newWorld(t)
	signer := contract.Signer{Key: w.receive.pair.Key(), Certificate: w.receive.pair.Certificate()}
	good, err := api.VerifyStatement(w.receive.statement, w.ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*api.Statement){
		"of another organisation":     func(s *api.Statement) { s.OIN = groningen },
		"of nobody":                   func(s *api.Statement) { s.OIN = "" },
		"for another purpose":         func(s *api.Statement) { s.Purpose = "contracts" },
		"about no key":                func(s *api.Statement) { s.Key = api.JWK{} },
		"about a point off the curve": func(s *api.Statement) { s.Key.X = s.Key.Y },
		"longer than the certificate": func(s *api.Statement) { s.Until = signer.Certificate.NotAfter.Add(time.Second) },
		"until before from":           func(s *api.Statement) { s.Until = s.From },
		"signed at no time":           func(s *api.Statement) { s.SignedAt = time.Time{} },
	} {
		bad := good
		change(&bad)
		if _, err := api.SignStatement(signer, bad); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if _, err := api.SignStatement(contract.Signer{Key: w.hub.pair.Key(), Certificate: signer.Certificate}, good); err == nil {
		t.Error("signed with a key that is not the certificate's")
	}
	// A certificate that has ended when the statement says it was signed.
	late := good
	late.From, late.SignedAt = moment.Add(-100*24*time.Hour), moment.Add(-99*24*time.Hour)
	compact, err := api.SignStatement(signer, late)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.VerifyStatement(compact, w.ca.Pool()); err == nil {
		t.Error("a statement from before its certificate was believed")
	}
	if _, err := api.VerifyStatement(w.receive.statement, nil); err == nil {
		t.Error("believed without anchors")
	}
	if _, err := api.VerifyStatement(w.chain(t, nil).Receipts[0], w.ca.Pool()); err == nil {
		t.Error("a receipt was taken for a statement")
	}
}

// Contract keys may be RSA: then the statement is too, and the receipts are ES256 all the same.
func TestAnRSAContractKeySignsStatements(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{SerialNumber: assen}, NotBefore: moment.Add(-time.Hour), NotAfter: moment.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	receiptKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := api.NewJWK(&receiptKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := api.SignStatement(contract.Signer{Key: key, Certificate: certificate},
		api.NewStatement(assen, jwk, moment, moment.Add(time.Minute), moment))
	if err != nil {
		t.Fatal(err)
	}
	anchors := x509.NewCertPool()
	anchors.AddCert(certificate)
	if _, err := api.VerifyStatement(compact, anchors); err != nil {
		t.Error(err)
	}
	if _, err := api.VerifyStatement(flip(compact), anchors); err == nil {
		t.Error("a changed signature was believed")
	}
}

func TestAReceiptKeyIsOnP256(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.NewJWK(&key.PublicKey); err == nil {
		t.Error("a key on P-384 was taken")
	}
	if _, err := api.NewJWK(nil); err == nil {
		t.Error("no key was taken")
	}
}

// The manifest's digest is that of its canonical JSON, which anyone can make with a library for RFC 8785.
func TestTheDigestOfAManifestIsOfItsCanonicalJSON(t *testing.T) {
	m := api.Manifest{CaseSHA256: strings.Repeat("0f", 32), Bytes: 4194304}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.SHA256(), api.ReceiptHash(string(canonical)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
