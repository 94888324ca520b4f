package token

import "noorderhub.nl/hub/libs/errs"

// What a verifier refuses, and what to do about it. The gateway names the code as the rule that refused.
var (
	codeMissing = &errs.Code{
		ID: "token-missing", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "No access token",
		Next: "Ask the authorization server for an access token and send it in the Authorization header as 'Bearer'.",
	}
	codePlacement = &errs.Code{
		ID: "token-placement", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "Access token in the wrong place",
		Next: "Send one access token, in one Authorization header with the scheme Bearer, and nowhere else.",
	}
	codeMalformed = &errs.Code{
		ID: "token-malformed", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is malformed",
		Next: "Send the access token exactly as the authorization server gave it.",
	}
	codeType = &errs.Code{
		ID: "token-type", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "Not an access token",
		Next: "Send the access_token of the token answer, not a client assertion or another kind of token.",
	}
	codeSignature = &errs.Code{
		ID: "token-signature", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token's signature is wrong",
		Next: "Ask the authorization server of this hub for a new access token.",
	}
	codeKey = &errs.Code{
		ID: "token-key", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is signed with an unknown key",
		Next: "Ask the authorization server of this hub for a new access token.",
	}
	codeIssuer = &errs.Code{
		ID: "token-issuer", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is of another issuer",
		Next: "Ask the authorization server of this hub for an access token.",
	}
	codeClaims = &errs.Code{
		ID: "token-claims", Kind: errs.Unauthenticated, Side: errs.SideHub, Title: "The access token lacks what it must state",
		Next: "Ask for a new access token; if it stays, report the trace id to the hub.",
	}
	codeExpired = &errs.Code{
		ID: "token-expired", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token has expired",
		Next: "Ask the authorization server for a new access token.",
	}
	codeNotYetValid = &errs.Code{
		ID: "token-not-yet-valid", Kind: errs.Unauthenticated, Side: errs.SideHub, Title: "The access token is not valid yet",
		Next: "Try again in a minute; if it stays, report the trace id to the hub: the clocks of its parts differ.",
	}
	codeAudience = &errs.Code{
		ID: "token-audience", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is for another service",
		Next: "Ask for an access token with this service as resource.",
	}
)
