// Package intake takes the OpenAPI description of a service in: as people upload it, in JSON or YAML, OpenAPI 3.0, 3.1 or
// Swagger 2.0. It tells every fault at once with its place, its rule and the next step; it gives the findings of the NL API
// Design Rules beside them (package designrules); and it reads what the registry needs to offer the service: operations with
// their scopes, the fields of their answers, hints of personal data, and the text to publish. What a description leaves out
// is proposed, and marked so, for approval.
//
// Compare tells what a new description changes for those who use the old one.
//
// A description is a text from outside: nothing it refers to is opened, and size, depth and work are bounded.
package intake
