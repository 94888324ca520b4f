package token

import "noorderhub.nl/hub/libs/errs"

// Refusals of the form of a token request.
var (
	codeRequest = &errs.Code{
		ID: "token-request-invalid", Kind: errs.Invalid, Side: errs.SideClient, Title: "The token request is malformed",
		Next: "Send the parameters of RFC 6749 section 4.4.2 once each, form-encoded in the body of a POST.",
	}
	codeGrantType = &errs.Code{
		ID: "grant-type-unsupported", Kind: errs.Invalid, Side: errs.SideClient, Title: "The grant type is not supported",
		Next: "Use one of grant_types_supported in the metadata: client_credentials.",
	}
	codeInURL = &errs.Code{
		ID: "parameters-in-url", Kind: errs.Invalid, Side: errs.SideClient, Title: "Parameters in the URL of the token endpoint",
		Next: "Send every parameter in the body; a credential that stood in a URL is in logs, so sign a new one.",
	}
	codeClientCert = &errs.Code{
		ID: "client-certificate-unreadable", Kind: errs.Invalid, Side: errs.SideHub, Title: "The client certificate cannot be read",
		Next: "Report the trace id to the hub.",
	}
)
