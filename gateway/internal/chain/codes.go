package chain

import "noorderhub.nl/hub/libs/errs"

var (
	codeNotReady = &errs.Code{
		ID: "hub-starting", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The hub is starting",
		Next: "Try again in a few seconds.",
	}
	codeStale = &errs.Code{
		ID: "policy-out-of-date", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The hub cannot confirm its agreements",
		Next: "Try again later; the operators of the hub have been alarmed.",
	}
	codeNoScope = &errs.Code{
		ID: "operation-without-scope", Kind: errs.Internal, Side: errs.SideHub, Title: "The operation has no scope",
		Next: "Report the trace id to the hub: the operation was published without saying who may use it.",
	}
	codeRevoked = &errs.Code{
		ID: "token-revoked", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token was revoked",
		Next: "Ask the authorization server for a new access token.",
	}
	codeUnbound = &errs.Code{
		ID: "certificate-missing", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is bound to a certificate",
		Next: "Call over TLS with the client certificate with which the token was asked for.",
	}
	codeMismatch = &errs.Code{
		ID: "certificate-mismatch", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is bound to another certificate",
		Next: "Use the same client certificate for the token and for the call; after changing certificates, ask for a new token.",
	}
	codeProof = &errs.Code{
		ID: "proof-not-supported", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The access token is bound to a proof key",
		Next: "Ask for a token that is bound to a client certificate.",
	}
	codeUnknownClient = &errs.Code{
		ID: "client-unknown", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The client does not exist any more",
		Next: "Let an administrator of your organisation look at its clients.",
	}
	codeDisabled = &errs.Code{
		ID: "client-disabled", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The client is disabled",
		Next: "Let an administrator of your organisation enable the client, or use another one.",
	}
	codeNoContract = &errs.Code{
		ID: "no-contract", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "No contract allows this call",
		Next: "Ask for access to the service in the portal; your organisation and the provider sign the contract there.",
	}
	codeContractEarly = &errs.Code{
		ID: "contract-not-yet-valid", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The contract is not in force yet",
		Next: "Call again from the moment that detail names.",
	}
	codeContractExpired = &errs.Code{
		ID: "contract-expired", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The contract has expired",
		Next: "Let your organisation and the provider sign a successor, then ask for a new token.",
	}
	codeSuspended = &errs.Code{
		ID: "contract-suspended", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The contract is suspended",
		Next: "Ask the organisation that detail names why, and when it lifts the suspension.",
	}
	codeNotAssigned = &errs.Code{
		ID: "client-not-assigned", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The client may not use this contract",
		Next: "Let an administrator of your organisation assign the contract to the client.",
	}
	codeScopeMissing = &errs.Code{
		ID: "scope-missing", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The access token lacks a scope",
		Next: "Ask for a token with the scope that rule names; if that is refused, your contract does not have it.",
	}
	codeScopeBlocked = &errs.Code{
		ID: "scope-blocked", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The scope is blocked for now",
		Next: "Ask the organisation that detail names why, and when it lifts the block.",
	}
	codeBinding = &errs.Code{
		ID: "binding-required", Kind: errs.Unauthenticated, Side: errs.SideClient, Title: "The contract demands a bound access token",
		Next: "Ask for the token over TLS with a client certificate that is registered for the client, and call with the same certificate.",
	}
	codeRate = &errs.Code{
		ID: "rate-exceeded", Kind: errs.TooMany, Side: errs.SideClient, Title: "Too many calls per second",
		Next: "Wait for the time in Retry-After and spread the calls; RateLimit-Policy says how many the contract allows.",
	}
	codeQuota = &errs.Code{
		ID: "quota-exceeded", Kind: errs.TooMany, Side: errs.SideOrganisation, Title: "The calls of this day are used up",
		Next: "Call again after midnight, or let your organisation and the provider agree on a larger quota.",
	}
	codeLogUnavailable = &errs.Code{
		ID: "log-unavailable", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The call could not be recorded",
		Next: "Try again after the time in Retry-After: the service was not called.",
	}
)
