package chain

import (
	"net/http"
	"time"

	"noorderhub.nl/hub/gateway/internal/policy"
	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Call is what is known of one call. One goroutine works on it.
type Call struct {
	// Set by the edge before the chain runs.
	ID          string // transaction id, UUIDv7
	Begin       time.Time
	Certificate *Certificate // of the client; nil without one
	Informs     func(status int, header http.Header)

	// Refusal holds header fields that go with a refusal: Allow, WWW-Authenticate.
	Refusal http.Header

	view     *policy.View // in force at the first moment; the call keeps it to its end
	Route    *routes.Route
	Claims   *token.Claims
	Client   *policy.Client
	Grant    *registry.Grant
	recorded bool   // a decision record lets it through
	policy   string // the contract's limits, as a field; "" without limits
	standing string // what is left of them, as a field
	Cached   bool   // the answer is a kept one: the service was not asked

	Sent     time.Time // when the service was asked
	Answered time.Time // when the head of its answer came
}

// Certificate is a verified TLS client certificate in the two forms that the gateway needs.
type Certificate struct {
	Thumbprint string // x5t#S256, RFC 8705 §3.1
	Header     string // Client-Cert, RFC 9440 §2.1
}

// Ending says how a call ended.
type Ending struct {
	Status        int    // towards the client; 0 when it went away before
	AnsweredBy    string // gateway, cache or service
	Err           error  // the refusal, or what broke the answer off
	RequestBytes  int64
	ResponseBytes int64
}

// provider is the OIN of the organisation that answers: the grant's, or the owner of the service while no grant is known.
func (c *Call) provider() string {
	if c.Grant != nil {
		return c.Grant.Provider
	}
	return c.Route.Service.Owner
}

func (c *Call) refuseWith(name, value string) {
	if c.Refusal == nil {
		c.Refusal = http.Header{}
	}
	c.Refusal.Set(name, value)
}
