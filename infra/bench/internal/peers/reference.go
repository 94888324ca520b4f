package peers

import (
	"context"

	"noorderhub.nl/hub/infra/bench/internal/proc"
)

// StartReference runs the proxy of Go's own library. part is the name in the upstream's certificate.
func StartReference(ctx context.Context, g *proc.Group, name, program string, listen string, upstream Side, part string) (*proc.Process, error) {
	args := []string{"--listen", listen}
	if upstream.TLS() {
		args = append(args, "--upstream", "https://"+upstream.Address, "--part", part,
			"--cert", upstream.Files.Cert, "--key", upstream.Files.Key, "--ca", upstream.Files.CA)
	} else {
		args = append(args, "--upstream", "http://"+upstream.Address)
	}
	return g.Start(ctx, name, proc.Listening(listen), program, args...)
}
