package registry

import (
	"context"
	"crypto/x509"
	"log/slog"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

const (
	// keysEvery is the pause between two readings of the keys that clients publish themselves.
	keysEvery = 15 * time.Minute
	// maxFetched bounds a description or key set, in bytes.
	maxFetched = 4 << 20
)

// fetcher implements administration.Fetcher: the internet, and the private networks of the organisation that asks.
type fetcher struct {
	client    *outbound.Client
	publisher *publisher.Publisher
}

// Fetch implements administration.Fetcher.
func (f fetcher) Fetch(ctx context.Context, organisation, url, cas string) ([]byte, error) {
	o := outbound.Options{MaxBytes: maxFetched, Deadline: 20 * time.Second}
	directory := f.publisher.State().Directory
	// Beside those of the system: organisations of the region have servers with certificates of the region's authorities.
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	for _, anchor := range directory.Hub().Anchors {
		roots.AppendCertsFromPEM([]byte(anchor))
	}
	o.Roots = roots
	if org := directory.Organisation(organisation); org != nil {
		reach, err := outbound.ParseReach(org.Networks)
		if err != nil {
			return nil, err
		}
		o.Reach = reach
	}
	if cas != "" {
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM([]byte(cas)) {
			return nil, errs.CodeInvalid.New("1 fault").WithFields(errs.Field{Name: "/ca", Code: "pem", Reason: "holds no certificate"})
		}
	}
	body, _, err := f.client.Get(ctx, url, o)
	return body, err
}

// followKeys reads the keys of clients again and again.
func followKeys(ctx context.Context, office *administration.Office, logger *slog.Logger) error {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			office.FollowKeys(ctx, func(client string, err error) {
				logger.WarnContext(ctx, "keys of a client not read; those it has stay", "client_id", client, "error", err)
			})
		}
	}
}
