// Package designrules checks OpenAPI descriptions against the NL API Design Rules 2.2 as the official linter does: the
// Spectral ruleset of Logius (adr-linter.yaml) under @stoplight/spectral-cli. A rule here is a line in a table: where it
// looks, what must hold there, and how to mend it.
//
// Findings are the same as Spectral's in rule and place (path and line); a test runs Spectral itself over a corpus and
// compares. What Spectral does not look at and the hub must know (personal numbers in addresses, credentials in queries) has
// rules under "hub:". Only what is unsafe blocks; all else is advice.
//
// Known differences, each of them rare: a reference to another file is an invalid-ref and never opened; a regular
// expression that Go cannot read (look-around) holds for every example; a finding inside a YAML alias has the line of the
// alias, where Spectral says line 1; OpenAPI 3.2 and Swagger 2.0 have no oas3-schema finding.
package designrules
