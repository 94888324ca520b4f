// Command configdoc writes docs/configuration.md from the Config structs of the parts: one table per part, a row per
// field, its doc comment as the explanation. A test fails when the page is not what it would write.
//
//	go run ./infra/configdoc > docs/configuration.md
package main

import (
	"fmt"
	"os"
)

func main() {
	page, err := generate(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(page)
}
