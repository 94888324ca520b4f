package chain

import (
	"strings"
	"sync"
	"time"

	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/token"
)

// A call token lives a minute at most; with less than half of it left it is minted anew, so that it does not run out on
// its way through a slow service. It lives some seconds at least: the clock difference that is allowed lets access tokens
// through up to and beyond their end, and a call that was let through must reach the service.
const (
	callTokenLife  = 60 * time.Second
	callTokenLeast = 10 * time.Second
	callTokenLeft  = 30 * time.Second
	mintedMost     = 16384 // call tokens kept, one per access token in use
)

// minter makes the token that a service gets instead of the caller's: signed by the gateway, for this service only, so
// that the service can check who calls and can not use it elsewhere. One is made per access token and reused.
type minter struct {
	signer *token.Signer
	hub    string

	mu     sync.Mutex
	minted map[string]minted // by the access token's jti
}

type minted struct {
	raw      string
	audience string
	roles    string    // as they are in the snapshot, which may have changed since the access token was issued
	good     time.Time // use until
}

func newMinter(s *token.Signer, hub string) *minter {
	return &minter{signer: s, hub: hub, minted: map[string]minted{}}
}

// token gives the call token of a call that was let through.
func (m *minter) token(call *Call, now time.Time) (string, error) {
	var roles []string
	if call.Route.Class == routes.ClassAdministration { // roles govern administration, never calls
		roles = call.Client.Roles()
	}
	joined := strings.Join(roles, " ")
	m.mu.Lock()
	have, ok := m.minted[call.Claims.ID]
	m.mu.Unlock()
	if ok && have.audience == call.Route.Audience && have.roles == joined && now.Before(have.good) {
		return have.raw, nil
	}
	end := now.Add(callTokenLife)
	if expires := call.Claims.Expires.Time(); expires.Before(end) {
		end = expires
	}
	if least := now.Add(callTokenLeast); end.Before(least) {
		end = least
	}
	c := &token.Claims{
		Issuer: m.hub, Subject: call.Claims.Subject, ClientID: call.Claims.ClientID, AuthorizedParty: call.Claims.AuthorizedParty,
		Audience: call.Route.Audience, Issued: token.Date(now), NotBefore: token.Date(now), Expires: token.Date(end), ID: token.NewID(),
		Scope: call.Claims.Scope, GrantHash: call.Claims.GrantHash, GroupID: call.Claims.GroupID, PeerID: call.Claims.PeerID,
		Actor: call.Claims.Actor, Roles: roles,
	}
	raw, err := m.signer.Sign(c)
	if err != nil {
		return "", err
	}
	good := end.Add(-callTokenLeft)
	if !good.After(now) { // the access token is nearly over: nothing to keep
		return raw, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.minted) >= mintedMost {
		m.sweep(now)
	}
	m.minted[call.Claims.ID] = minted{raw: raw, audience: call.Route.Audience, roles: joined, good: good}
	return raw, nil
}

// sweep drops what is over; when that is not enough, everything: they are cheap to make again.
func (m *minter) sweep(now time.Time) {
	for id, t := range m.minted {
		if !now.Before(t.good) {
			delete(m.minted, id)
		}
	}
	if len(m.minted) >= mintedMost {
		clear(m.minted)
	}
}
