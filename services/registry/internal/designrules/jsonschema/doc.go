// Package jsonschema checks values against JSON Schema as ajv does inside Spectral: examples against the schemas of an
// OpenAPI description (draft 4 with `nullable` for OpenAPI 3.0, draft 2020-12 for 3.1), and the description itself against
// the schema of OpenAPI.
//
// It works on the nodes of package tree, for three reasons no library gives together: schemas and values keep their place in
// the text, references resolve as Spectral resolves them, and the work is bounded, whatever a hostile schema asks for: each
// schema meets each value once, and a budget ends the rest.
package jsonschema
