package grants

import (
	"slices"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
)

// bindingNone is the only value of noorderhub.binding under which a bearer token is enough.
const bindingNone = "none"

// bind decides whether the token belongs to a certificate. A registered one that is shown always binds the token; one
// that is shown but not registered is no reason to refuse unless the grant demands a binding.
func (c Chooser) bind(choice *Choice, r Request) error {
	if r.Certificate != "" && slices.Contains(r.Client.Certificates, r.Certificate) {
		choice.Certificate = r.Certificate
		return nil
	}
	if choice.Grant == nil || choice.Grant.Terms.Binding == bindingNone {
		return nil
	}
	// The default is to demand it: an empty or unknown binding is not a bearer token.
	if r.Certificate != "" {
		return invalid(codeCertificateUnknown.New("the certificate %s is not registered for client %s", r.Certificate, r.Client.ID))
	}
	where := c.Addresses.TokenMTLS()
	if where == "" {
		where = c.Addresses.Token()
	}
	return invalid(codeCertificate.New("the agreement has binding %s; the token endpoint for clients with a certificate is %s",
		choice.Grant.Terms.Binding, where))
}

func invalid(e *errs.Error) *oauth.Error { return oauth.Refuse(oauth.InvalidRequest, e) }
