package designrules

import (
	"fmt"
	"regexp"
)

// personalNumber is a BSN under the names it has in parameters: bsn, aanvragerBsn, burgerservicenummer.
var personalNumber = regexp.MustCompile(`(?:^|[^a-zA-Z])(?i:bsn)(?:$|[^a-z])|Bsn|BSN|(?i:burgerservicenummer)`)

// notSensitive: no BSN in a path or query (/core/transport/no-sensitive-uris); addresses are logged and remembered everywhere.
func notSensitive(c *checker, t target) {
	name, where := t.value.Get("name").Value().Str(), t.value.Get("in").Value().Str()
	if (where == "query" || where == "path") && personalNumber.MatchString(name) {
		c.tell(t.place.At, fmt.Sprintf("Parameter %q puts a citizen service number in the %s.", name, where))
	}
}

// notInQuery: no credentials in a query, for the same reason.
func notInQuery(c *checker, t target) {
	if t.value.Get("type").Value().Str() == "apiKey" && t.value.Get("in").Value().Str() == "query" {
		c.tell(t.place.At, "The API key travels in the query.")
	}
}
