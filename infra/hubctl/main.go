// Command hubctl does from the command line what people do at the hub: get a token, call a service, follow a call.
//
//	hubctl token --as assen
//	hubctl call --as assen 'GET /bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1'
//	hubctl trace 019a…
//
// Results go to standard output, everything else to standard error. The exit code is 0 only when what was asked was done.
package main

import (
	"context"
	"os"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/libs/app"
)

func main() {
	data := os.Getenv("NOORDERHUB_DATA")
	if data == "" {
		data = demo.DefaultData
	}
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error {
		return run(ctx, os.Args[1:], data, os.Stdout, os.Stderr)
	}))
}
