package contract

import (
	"crypto/sha3"
	"encoding/base64"
	"strings"
)

// Hashes are written $<algorithm>$<hash type>$<base64url without padding> (FSC Core 2.0.0). The algorithm is 1,
// SHA3-512; hash types are 1 for content and 2 to 5 for the kinds of grants.
const contentHashPrefix = "$1$1$"

func contentHash(canonicalContent []byte) string {
	sum := sha3.Sum512(canonicalContent)
	return contentHashPrefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// grantHash binds the grant to the content it stands in: two contracts with the same grant have different grant hashes.
func grantHash(contentHash string, kind GrantType, canonicalGrant []byte) string {
	sum := sha3.Sum512(append([]byte(contentHash), canonicalGrant...))
	return kind.hashPrefix() + base64.RawURLEncoding.EncodeToString(sum[:])
}

// IsHash tells whether s has the form of a content or grant hash.
func IsHash(s string) bool {
	if len(s) != len(contentHashPrefix)+86 || !strings.HasPrefix(s, "$1$") || s[3] < '1' || s[3] > '5' || s[4] != '$' {
		return false
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(s[len(contentHashPrefix):])
	return err == nil && len(sum) == 64
}
