package outbound

import "noorderhub.nl/hub/libs/errs"

// Why an address that somebody gave was not fetched.
var (
	codeURL = &errs.Code{
		ID: "outside-url", Kind: errs.Invalid, Side: errs.SideClient, Title: "The hub does not call this kind of address",
		Next: "Give an https address with a host name, without user name and password.",
	}
	codeNetwork = &errs.Code{
		ID: "outside-network", Kind: errs.Invalid, Side: errs.SideOrganisation, Title: "The address leads to a network that the hub may not call",
		Next: "Give an address on the internet, or ask the hub's operator to add the network to your organisation's allow-list.",
	}
	codeRedirect = &errs.Code{
		ID: "outside-redirect", Kind: errs.Invalid, Side: errs.SideClient, Title: "The address leads on to another that the hub does not follow",
		Next: "Give the final https address itself.",
	}
	codeSize = &errs.Code{
		ID: "outside-size", Kind: errs.Invalid, Side: errs.SideClient, Title: "What the address gives is too large",
		Next: "Give an address with a document below the limit that detail names.",
	}
	codeSlow = &errs.Code{
		ID: "outside-slow", Kind: errs.Timeout, Side: errs.SideClient, Title: "The address answers too slowly",
		Next: "Let the server behind the address answer within the time that detail names, then try again.",
	}
	codeUnreachable = &errs.Code{
		ID: "outside-unreachable", Kind: errs.BadGateway, Side: errs.SideClient, Title: "The address cannot be reached",
		Next: "Check the host name, the port and the firewall in front of it; then try again.",
	}
	codeCertificate = &errs.Code{
		ID: "outside-certificate", Kind: errs.BadGateway, Side: errs.SideClient, Title: "The certificate of the address is not trusted",
		Next: "Let the server send its whole certificate chain for this host name, or give the CA or the pin with the address.",
	}
	codeAnswer = &errs.Code{
		ID: "outside-answer", Kind: errs.BadGateway, Side: errs.SideClient, Title: "The address does not give what was asked",
		Next: "Open the address with curl from outside your own network; it must answer 200 with the document itself.",
	}
)
