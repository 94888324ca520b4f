package api

import _ "embed"

// OpenAPI is the description of the outside API, in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Version of the outside API (semver), as in OpenAPI.
const Version = "1.0.0"

// Scopes of the outside API.
const (
	ScopeRead  = "journaal.lezen"
	ScopeWrite = "journaal.schrijven"
)

// HeaderExpected tells a gateway, on 409, which sequence number the journal expects next.
const HeaderExpected = "Noorderhub-Expected-Sequence"

// ContentLines is the media type of a batch of log lines.
const ContentLines = "application/x-ndjson"
