//go:build tools

// Package consul pins the Consul server that the tests run against: v1.13.9, the newest MPL-2.0 release whose modules
// resolve with verified checksums. It is a module of its own so that nothing of the server reaches the product.
package consul

import _ "github.com/hashicorp/consul"
