package clients

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/authserver/internal/replay"
	"noorderhub.nl/hub/services/registry/api"
)

// assertionType is the only value of client_assertion_type (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertion bounds an assertion in bytes. An RS256 one with a chain of certificates in x5c stays below it.
const maxAssertion = 16 << 10

// Once tells whether an assertion may be used, and marks it as used.
type Once interface {
	Use(ctx context.Context, client, jti string, issued, until time.Time) (replay.Verdict, error)
	ReadyAfter() time.Duration
}

// Authenticator checks client assertions.
type Authenticator struct {
	directory *Directory
	once      Once
	addresses oauth.Addresses
	now       func() time.Time
	decoys    map[string]crypto.PublicKey // by algorithm; see verify
}

// NewAuthenticator makes an authenticator.
func NewAuthenticator(directory *Directory, once Once, addresses oauth.Addresses, now func() time.Time) (*Authenticator, error) {
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// Nobody needs the private half, and finding primes would take longer than the rest of the start.
	modulus := make([]byte, 2048/8)
	_, _ = rand.Read(modulus) // never returns an error
	modulus[0] |= 0x80
	modulus[len(modulus)-1] |= 1
	large := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}
	return &Authenticator{
		directory: directory, once: once, addresses: addresses, now: now,
		decoys: map[string]crypto.PublicKey{
			jws.ES256: small.Public(), jws.RS256: large, jws.PS256: large,
		},
	}, nil
}

// Authenticated is a client that proved itself, and the snapshot it was found in: what follows is decided on the same one.
type Authenticated struct {
	Client   *Client
	Snapshot *api.Snapshot
}

// Authenticate finds out who makes a token request. Errors are *oauth.Error.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request, form url.Values) (*Authenticated, error) {
	if err := onlyAssertion(r, form); err != nil {
		return nil, err
	}
	m, err := jws.Parse(form.Get("client_assertion"), maxAssertion)
	if err != nil {
		return nil, generic(err)
	}
	claimed, err := claimedClient(m, form)
	if err != nil {
		return nil, generic(err)
	}
	client, snapshot := a.directory.find(claimed)
	if snapshot == nil {
		return nil, oauth.Refuse(oauth.TemporarilyUnavailable,
			codeNoSnapshot.New("the registry has not delivered its snapshot yet").WithRetryAfter(time.Second))
	}
	if err := a.verify(m, client); err != nil {
		return nil, generic(err)
	}
	// From here on the client has proven that it holds the key, and may learn what is wrong.
	if client.Disabled {
		return nil, oauth.Refuse(oauth.InvalidClient, codeDisabled.New("client %s is disabled", client.ID))
	}
	checked, err := a.check(m, client)
	if err != nil {
		return nil, err
	}
	if err := a.useOnce(ctx, client.ID, checked); err != nil {
		return nil, err
	}
	return &Authenticated{Client: client, Snapshot: snapshot}, nil
}

// onlyAssertion refuses every other way of authentication, and two ways at once (RFC 6749 §2.3).
func onlyAssertion(r *http.Request, form url.Values) error {
	_, header := r.Header["Authorization"]
	secret := form.Has("client_secret")
	assertion := form.Has("client_assertion") || form.Has("client_assertion_type")
	switch {
	case assertion && (header || secret):
		return oauth.Refuse(oauth.InvalidRequest, codeTwoMethods.New("the request authenticates the client in more than one way"))
	case header || secret:
		return oauth.Refuse(oauth.InvalidClient, codeMethod.New("client secrets do not exist here"))
	case !assertion:
		return oauth.Refuse(oauth.InvalidClient, codeMethod.New("the request carries no client assertion"))
	case form.Get("client_assertion_type") != assertionType:
		return oauth.Refuse(oauth.InvalidClient, codeMethod.New("client_assertion_type is not %s", assertionType))
	}
	return nil
}

// claimedClient is who the assertion says it is of. Nothing is proven by it yet.
func claimedClient(m *jws.Message, form url.Values) (string, error) {
	o, err := jws.ParseObject(m.Payload)
	if err != nil {
		return "", err
	}
	sub, err := o.Text("sub")
	if err != nil {
		return "", err
	}
	if sub == "" {
		return "", errors.New("the assertion has no sub")
	}
	if form.Has("client_id") && form.Get("client_id") != sub {
		return "", errors.New("client_id and sub of the assertion differ")
	}
	return sub, nil
}

// verify checks algorithm and signature. An unknown client, an unknown key and another algorithm cost one verification
// with a decoy key, so that the time of the answer does not tell them from a wrong signature.
func (a *Authenticator) verify(m *jws.Message, client *Client) error {
	var candidates []key
	if client != nil && m.Alg == client.SigningAlg {
		candidates = client.candidates(m.KeyID)
	}
	for _, k := range candidates {
		if m.Verify(k.public) == nil {
			return nil
		}
	}
	switch {
	case len(candidates) > 0:
		return jws.ErrSignature
	case client == nil:
		_ = m.Verify(a.decoys[m.Alg])
		return errors.New("unknown client")
	default:
		_ = m.Verify(a.decoys[m.Alg])
		return errors.New("no key of the client fits the assertion's kid and algorithm")
	}
}

// generic hides the reason: it goes to the log only.
func generic(reason error) *oauth.Error {
	return oauth.Refuse(oauth.InvalidClient, codeAuthentication.Wrap(reason, "the client could not be authenticated"))
}
