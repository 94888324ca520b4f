package grants

import "noorderhub.nl/hub/libs/errs"

// Why no grant could be taken for a token request.
var (
	codeNoContract = &errs.Code{
		ID: "no-contract", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "Your organisation has no agreement for this service",
		Next:  "Ask for access to the service in the portal; the provider decides on it.",
	}
	codeNotInForce = &errs.Code{
		ID: "contract-not-in-force", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "The agreement for this service is not in force",
		Next:  "Wait until the agreement begins, or ask for a new one in the portal.",
	}
	codeSuspended = &errs.Code{
		ID: "grant-suspended", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "The agreement for this service is suspended",
		Next:  "Contact the organisation that suspended it; detail names it.",
	}
	codeNotAssigned = &errs.Code{
		ID: "grant-not-assigned", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "Your organisation has an agreement, but this client may not use it",
		Next:  "Ask an administrator of your organisation to assign the agreement to this client.",
	}
	codeChoose = &errs.Code{
		ID: "grant-ambiguous", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "More than one agreement fits the request",
		Next:  "Add the short name or the grant hash of one of the listed agreements to the parameter scope.",
	}
	codeSelector = &errs.Code{
		ID: "grant-unknown", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "The agreement named in scope is not one of this client",
		Next:  "Use a short name or grant hash that is assigned to this client, for the resource that is asked.",
	}
	codeScope = &errs.Code{
		ID: "scope-not-granted", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "A scope is outside the agreement",
		Next:  "Ask only for scopes of the agreement, or leave scope out to get all of them.",
	}
	codeScopeBlocked = &errs.Code{
		ID: "scope-blocked", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "A scope of the agreement is blocked",
		Next:  "Contact the organisation that blocked it; detail names it.",
	}
	codeResource = &errs.Code{
		ID: "resource-unknown", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "The resource is not one of this hub",
		Next:  "Send one resource, written exactly as the catalogue of the portal gives it.",
	}
	codeResources = &errs.Code{
		ID: "resource-repeated", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "More than one resource",
		Next:  "Ask for one token per resource.",
	}
	codeAdminScope = &errs.Code{
		ID: "administration-scope-missing", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "This client has no rights on the administration API",
		Next:  "Ask an administrator of your organisation to give the client the scope.",
	}
	codeCertificate = &errs.Code{
		ID: "certificate-required", Kind: errs.Invalid, Side: errs.SideClient,
		Title: "The agreement demands a token that is bound to a certificate",
		Next:  "Send the request over TLS with a client certificate that is registered for this client.",
	}
	codeCertificateUnknown = &errs.Code{
		ID: "certificate-unknown", Kind: errs.Invalid, Side: errs.SideOrganisation,
		Title: "The TLS certificate is not registered for this client",
		Next:  "Register the certificate for the client in the portal, or use one that is registered.",
	}
)
