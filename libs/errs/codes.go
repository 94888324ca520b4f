package errs

// Codes that every part can give.
var (
	CodeInternal = &Code{
		ID: "internal-error", Kind: Internal, Side: SideHub, Title: "Internal error",
		Next: "Try again later; if it stays, report the trace id to the hub.",
	}
	CodeInvalid = &Code{
		ID: "invalid-input", Kind: Invalid, Side: SideClient, Title: "The request is not valid",
		Next: "Mend the fields named in invalidParams and send the request again.",
	}
	CodeNotFound = &Code{
		ID: "not-found", Kind: NotFound, Side: SideClient, Title: "Not found",
		Next: "Check the path and the identifier against the service's OpenAPI file.",
	}
	CodeMethod = &Code{
		ID: "method-not-allowed", Kind: MethodNotAllowed, Side: SideClient, Title: "Method not allowed",
		Next: "Use one of the methods in the Allow header.",
	}
	CodeNotAcceptable = &Code{
		ID: "not-acceptable", Kind: NotAcceptable, Side: SideClient, Title: "No acceptable form of the answer",
		Next: "Send an Accept header that the operation's OpenAPI description lists.",
	}
	CodeConflict = &Code{
		ID: "conflict", Kind: Conflict, Side: SideClient, Title: "The request conflicts with the current state",
		Next: "Read the current state and decide anew.",
	}
	CodeTooLarge = &Code{
		ID: "body-too-large", Kind: TooLarge, Side: SideClient, Title: "The request body is too large",
		Next: "Send a smaller body; detail names the limit.",
	}
	CodeMediaType = &Code{
		ID: "unsupported-media-type", Kind: UnsupportedMedia, Side: SideClient, Title: "Unsupported media type",
		Next: "Send the body in the media type that detail names.",
	}
	CodeUnavailable = &Code{
		ID: "temporarily-unavailable", Kind: Unavailable, Side: SideHub, Title: "Temporarily unavailable",
		Next: "Try again after the time in Retry-After.",
	}
)
