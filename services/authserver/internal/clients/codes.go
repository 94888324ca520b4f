package clients

import "noorderhub.nl/hub/libs/errs"

// Refusals of client authentication. The first tells nothing, because whoever gets it has proven nothing; the others come
// only after the signature was good, and say exactly what to change.
var (
	codeAuthentication = &errs.Code{
		ID: "client-authentication-failed", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "Client authentication failed",
		Next: "Check the client id, that its public key is registered, and that the assertion is signed with the matching " +
			"private key and the registered algorithm.",
	}
	codeMethod = &errs.Code{
		ID: "client-authentication-method", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "This way of client authentication is not supported",
		Next:  "Authenticate with private_key_jwt: send client_assertion_type and client_assertion, and no secret.",
	}
	codeTwoMethods = &errs.Code{
		ID: "client-authentication-twice", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "More than one way of client authentication",
		Next:  "Send the client assertion only, without Authorization header and without client_secret.",
	}
	codeDisabled = &errs.Code{
		ID: "client-disabled", Kind: errs.Unauthenticated, Side: errs.SideOrganisation, Title: "The client is disabled",
		Next: "Ask an administrator of your organisation to enable the client.",
	}
	codeAssertionClaims = &errs.Code{
		ID: "assertion-claims", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "A claim of the client assertion is missing or wrong",
		Next:  "Mend the named claim and sign a new assertion.",
	}
	codeAssertionAudience = &errs.Code{
		ID: "assertion-audience", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "The client assertion is for another audience",
		Next:  "Set aud to the issuer of the metadata, as a single string, and sign a new assertion.",
	}
	codeAssertionTime = &errs.Code{
		ID: "assertion-time", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "The client assertion is not valid at this time",
		Next:  "Synchronise the clock, sign the assertion right before use, and let it live at most 60 seconds.",
	}
	codeAssertionReused = &errs.Code{
		ID: "assertion-reused", Kind: errs.Unauthenticated, Side: errs.SideClient,
		Title: "The client assertion was used before",
		Next:  "Sign a new assertion with a new jti for every token request.",
	}
	codeAssertionForgotten = &errs.Code{
		ID: "assertion-sign-anew", Kind: errs.Unavailable, Side: errs.SideHub,
		Title: "It can no longer be told whether the client assertion was used before",
		Next:  "Sign a new assertion after the time in Retry-After.",
	}
	codeReplayAway = &errs.Code{
		ID: "assertion-check-unavailable", Kind: errs.Unavailable, Side: errs.SideHub,
		Title: "Client assertions cannot be checked at the moment",
		Next:  "Sign a new assertion and try again after the time in Retry-After.",
	}
	codeNoSnapshot = &errs.Code{
		ID: "registry-unavailable", Kind: errs.Unavailable, Side: errs.SideHub,
		Title: "The authorization server does not know the clients yet",
		Next:  "Try again after the time in Retry-After.",
	}
)
