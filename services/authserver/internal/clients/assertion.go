package clients

import (
	"context"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/authserver/internal/replay"
)

const (
	// maxLife is how long an assertion may live (design: assertions need iat and live ≤ 60 s).
	maxLife = 60 * time.Second
	// Ahead is how far a client's clock may run ahead. FAPI 2.0 §5.3.2.1 wants 10 s accepted; more would make the pause
	// after a lost replay memory longer.
	Ahead = 10 * time.Second
	// behind is how far a client's clock may run behind.
	behind = 30 * time.Second
	// minJTI is 128 bits in base64url, the least that OAuth NL accepts (standards OA-AS-06).
	minJTI = 22
	maxJTI = 256
)

// assertion is what remains of a checked one.
type assertion struct {
	id      string
	issued  time.Time
	expires time.Time
}

// check judges the claims of an assertion whose signature is good.
func (a *Authenticator) check(m *jws.Message, client *Client) (assertion, error) {
	// RFC 7523 lets typ be absent; its revision names client-authentication+jwt. Another typ is another kind of token.
	if t := strings.ToLower(m.Type); t != "" && t != "jwt" && t != "client-authentication+jwt" {
		return assertion{}, wrong(codeAssertionClaims.New("the header typ %q is not that of a client assertion", m.Type))
	}
	o, err := jws.ParseObject(m.Payload)
	if err != nil {
		return assertion{}, wrong(codeAssertionClaims.New("the claims are not a JSON object: %s", err))
	}
	issuer, err := o.Text("iss")
	if err != nil || issuer != client.ID {
		return assertion{}, wrong(codeAssertionClaims.New("iss must be the client id %q", client.ID))
	}
	id, err := o.Text("jti")
	if err != nil || len(id) < minJTI || len(id) > maxJTI {
		return assertion{}, wrong(codeAssertionClaims.New(
			"jti must be a random string of %d to %d characters, new for every assertion", minJTI, maxJTI))
	}
	if err := a.checkAudience(o, client.Profile); err != nil {
		return assertion{}, err
	}
	issued, expires, err := a.checkTime(o)
	return assertion{id: id, issued: issued, expires: expires}, err
}

// checkAudience wants one audience. An assertion for two servers lets one of them use it at the other, and with the token
// URL as audience a hostile server can get it signed by giving our URL as its own (RFC 9700 update, audience injection);
// profile fapi2 therefore takes the issuer only.
func (a *Authenticator) checkAudience(o jws.Object, profile string) error {
	allowed := []string{a.addresses.Issuer()}
	if profile != ProfileFAPI2 {
		allowed = append(allowed, a.addresses.Token())
		if alias := a.addresses.TokenMTLS(); alias != "" {
			allowed = append(allowed, alias)
		}
	}
	audience, array, err := o.Texts("aud")
	switch {
	case err != nil || len(audience) != 1:
		return wrong(codeAssertionAudience.New("aud must be exactly one string; expected is %q", allowed[0]))
	case array && profile == ProfileFAPI2:
		return wrong(codeAssertionAudience.New("aud is an array; the profile fapi2 wants the single string %q", allowed[0]))
	case !slices.Contains(allowed, audience[0]):
		return wrong(codeAssertionAudience.New("aud is %q; expected is %q", audience[0], allowed[0]))
	}
	return nil
}

func (a *Authenticator) checkTime(o jws.Object) (issued, expires time.Time, err error) {
	issued, errIat := o.Date("iat")
	expires, errExp := o.Date("exp")
	notBefore, errNbf := o.Date("nbf")
	for name, fault := range map[string]error{"iat": errIat, "exp": errExp, "nbf": errNbf} {
		if fault != nil {
			return issued, expires, wrong(codeAssertionClaims.New("%s must be a number of seconds since 1970", name))
		}
	}
	now := a.now()
	switch {
	case issued.IsZero() || expires.IsZero():
		err = wrong(codeAssertionClaims.New("iat and exp are required"))
	case !expires.After(issued):
		err = wrong(codeAssertionTime.New("exp is not after iat"))
	case expires.Sub(issued) > maxLife:
		err = wrong(codeAssertionTime.New("the assertion lives %d s; at most %d s are accepted", seconds(expires.Sub(issued)), seconds(maxLife)))
	case issued.After(now.Add(Ahead)):
		err = wrong(codeAssertionTime.New("iat is %d s ahead of the clock here", seconds(issued.Sub(now))))
	case notBefore.After(now.Add(Ahead)):
		err = wrong(codeAssertionTime.New("nbf is %d s ahead of the clock here", seconds(notBefore.Sub(now))))
	case !now.Before(expires.Add(behind)):
		err = wrong(codeAssertionTime.New("the assertion expired %d s ago", seconds(now.Sub(expires))))
	}
	return issued, expires, err
}

// useOnce comes last: an assertion that is refused for another reason is not used up.
func (a *Authenticator) useOnce(ctx context.Context, client string, as assertion) error {
	verdict, err := a.once.Use(ctx, client, as.id, as.issued, as.expires.Add(behind))
	switch {
	case err != nil:
		return oauth.Refuse(oauth.TemporarilyUnavailable,
			codeReplayAway.Wrap(err, "the memory of used assertions does not answer").WithRetryAfter(2*time.Second))
	case verdict == replay.Used:
		return wrong(codeAssertionReused.New("the jti of the assertion was used before"))
	case verdict == replay.Forgotten:
		return oauth.Refuse(oauth.TemporarilyUnavailable,
			codeAssertionForgotten.New("the memory of used assertions was lost after this one was signed").WithRetryAfter(a.once.ReadyAfter()))
	}
	return nil
}

func wrong(cause *errs.Error) *oauth.Error { return oauth.Refuse(oauth.InvalidClient, cause) }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
