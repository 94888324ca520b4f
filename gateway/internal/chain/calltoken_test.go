package chain

import (
	"testing"
	"time"

	"noorderhub.nl/hub/gateway/internal/policy"
	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	registry "noorderhub.nl/hub/services/registry/api"
)

func TestACallTokenIsGoodHoweverLittleIsLeftOfTheAccessToken(t *testing.T) {
	const hub = "https://hub.example.nl"
	issuer := tokentest.New(t, hub, token.TypeCall)
	signer, err := token.NewSigner(issuer.Key(), token.TypeCall)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, tc := range map[string]struct{ left, least, most time.Duration }{
		"over by the leeway": {-4 * time.Second, 8 * time.Second, callTokenLeast},
		"nearly over":        {time.Second, 8 * time.Second, callTokenLeast},
		"half a minute":      {30 * time.Second, 28 * time.Second, 30 * time.Second},
		"much":               {time.Hour, callTokenLife - 2*time.Second, callTokenLife},
	} {
		claims := issuer.Claims(hub + "/bag")
		claims.Expires = token.Date(now.Add(tc.left))
		call := &Call{
			Claims: claims, Client: &policy.Client{Client: &registry.Client{}},
			Route: &routes.Route{Class: routes.ClassService, Audience: hub + "/bag"},
		}
		raw, err := newMinter(signer, hub).token(call, now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := issuer.Verifier().Verify(raw, hub+"/bag")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if life := got.Expires.Time().Sub(now); life < tc.least || life > tc.most {
			t.Errorf("%s: got a life of %s, want %s to %s", name, life, tc.least, tc.most)
		}
	}
}
