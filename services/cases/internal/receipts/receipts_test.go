package receipts_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/receipts"
)

const (
	hubOIN = "00000099000000009000"
	assen  = "00000099000000002000"
)

type folder struct {
	t   *testing.T
	dir string
	ca  *pki.CA
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	ca, err := pki.NewCA("region")
	if err != nil {
		t.Fatal(err)
	}
	return &folder{t: t, dir: t.TempDir(), ca: ca}
}

func (f *folder) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// pair gives a key in PEM and a statement about it.
func (f *folder) pair(curve elliptic.Curve, oin string, from, until time.Time) (keyPEM, statement string) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.t.Fatal(err)
	}
	keyPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if curve != elliptic.P256() {
		return keyPEM, ""
	}
	pair, err := f.ca.Issue(pki.Request{CommonName: oin, OIN: oin})
	if err != nil {
		f.t.Fatal(err)
	}
	jwk, err := api.NewJWK(&key.PublicKey)
	if err != nil {
		f.t.Fatal(err)
	}
	statement, err = api.SignStatement(contract.Signer{Key: pair.Key(), Certificate: pair.Certificate()},
		api.NewStatement(oin, jwk, from, until, time.Now()))
	if err != nil {
		f.t.Fatal(err)
	}
	return keyPEM, statement
}

func (f *folder) load(now time.Time) (*receipts.Keys, error) {
	return receipts.Load(f.dir, f.ca.Pool(), now)
}

func TestEveryFaultOfTheFolderIsNamed(t *testing.T) {
	now := time.Now()
	f := newFolder(t)
	good, about := f.pair(elliptic.P256(), assen, now.Add(-time.Hour), now.Add(time.Hour))
	_, elsewhere := newFolder(t).pair(elliptic.P256(), hubOIN, now, now.Add(time.Hour))
	wrongCurve, _ := f.pair(elliptic.P384(), hubOIN, now, now)
	lone, _ := f.pair(elliptic.P256(), hubOIN, now, now.Add(time.Hour))
	f.write(assen+".pem", good)
	f.write(assen+".jws", about)
	f.write(assen+".again.jws", about)
	f.write("00000099000000003000.jws", about)
	f.write(hubOIN+".jws", elsewhere)
	f.write(hubOIN+".pem", lone)
	f.write("00000099000000004000.pem", wrongCurve)
	f.write("00000099000000005000.pem", "half a key")
	f.write("assen.pem", good)
	f.write("readme.txt", "is left alone")
	_, err := f.load(now)
	if err == nil {
		t.Fatal("loaded")
	}
	for _, want := range []string{
		assen + ".jws: another statement is about the same key", // .again comes first
		"00000099000000003000.jws: is a statement of " + assen, hubOIN + ".jws: statement of " + hubOIN + ": certificate",
		hubOIN + ".pem: no good statement", "00000099000000004000.pem: is not a P-256 key", "00000099000000005000.pem: holds no PEM block", "assen.pem: the name",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not name %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "readme") || strings.Contains(err.Error(), "PRIVATE KEY-") {
		t.Errorf("the faults tell too much:\n%v", err)
	}
	if _, err := receipts.Load(filepath.Join(f.dir, "no"), f.ca.Pool(), now); err == nil {
		t.Error("a folder that is not there was read")
	}
}

func TestAKeyWhoseTimeIsOverSignsNothingAndItsStatementStays(t *testing.T) {
	now := time.Now()
	f := newFolder(t)
	key, statement := f.pair(elliptic.P256(), assen, now.Add(-time.Hour), now.Add(time.Hour))
	f.write(assen+".pem", key)
	f.write(assen+".jws", statement)
	keys, err := f.load(now)
	if err != nil {
		t.Fatal(err)
	}
	transfer := exchange.Transfer{ID: "t", State: exchange.Accepted}
	signer := receipts.Signer{Keys: keys, Hub: hubOIN}
	compact, err := signer.Sign(&transfer, exchange.Receipt{ID: "r", Sequence: 1, Type: exchange.Accepted, Actor: assen, At: now})
	if err != nil {
		t.Fatal(err)
	}
	for actor, want := range map[string]string{assen: "receipt-key-missing", hubOIN: "receipt-key-hub"} {
		_, err := signer.Sign(&transfer, exchange.Receipt{Type: exchange.Accepted, Actor: actor, At: now.Add(2 * time.Hour)})
		if err == nil || errs.As(err).Code.ID != want {
			t.Errorf("%s: got %v, want %s", actor, err, want)
		}
	}
	if _, err := f.load(now.Add(2 * time.Hour)); err == nil {
		t.Error("a key whose time is over was loaded for signing")
	}
	// A successor takes its place; the old statement stays for old receipts.
	if err := os.Rename(filepath.Join(f.dir, assen+".jws"), filepath.Join(f.dir, assen+".2026.jws")); err != nil {
		t.Fatal(err)
	}
	key, statement = f.pair(elliptic.P256(), assen, now.Add(time.Hour), now.Add(3*time.Hour))
	f.write(assen+".pem", key)
	f.write(assen+".jws", statement)
	keys, err = f.load(now.Add(2 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if statements, err := keys.StatementsOf([]string{compact, compact}); err != nil || len(statements) != 1 || len(keys.Published()) != 2 {
		t.Errorf("statements of an old receipt: %d, %v; published %d", len(statements), err, len(keys.Published()))
	}
	if _, err := keys.StatementsOf([]string{"x"}); err == nil {
		t.Error("a receipt that is none")
	}
}

func TestAReceiptIsCanonicalJSON(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	f := newFolder(t)
	key, statement := f.pair(elliptic.P256(), hubOIN, now.Add(-time.Hour), now.Add(time.Hour))
	f.write(hubOIN+".pem", key)
	f.write(hubOIN+".jws", statement)
	keys, err := f.load(now)
	if err != nil {
		t.Fatal(err)
	}
	transfer := exchange.Transfer{
		ID: "0193a000-0000-7000-8000-000000000001", Sender: "s", State: exchange.Offered,
		Deadline: now,
		Offer: exchange.Offer{
			Receiver: assen, Kind: exchange.Copy,
			Case:     exchange.CaseKey{Source: "000000000", ID: "Z", Description: "<é & \u2028>", Type: exchange.CaseType{ID: "T"}},
			Manifest: exchange.Manifest{CaseSHA256: strings.Repeat("0", 64), Bytes: 2},
		},
	}
	compact, err := receipts.Signer{Keys: keys, Hub: hubOIN}.Sign(&transfer, exchange.Receipt{ID: "r", Sequence: 1, Type: exchange.Offered, Actor: hubOIN, At: now})
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.ReadReceipt(compact)
	if err != nil {
		t.Fatal(err)
	}
	if got.Details.Case.Description != transfer.Offer.Case.Description || !got.Details.Deadline.Equal(now) || !got.At.Equal(now) {
		t.Errorf("got %+v", got)
	}
	if _, err := api.VerifyReceipts(api.Bundle{Transfer: transfer.ID, Receipts: []string{compact}, Statements: []string{statement}},
		api.Trust{Anchors: f.ca.Pool(), Hub: hubOIN}); err != nil {
		t.Error(err)
	}
}
