package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb"
	registry "noorderhub.nl/hub/services/registry/api"
)

// withoutDatabase cuts one part off its database, as a failed server would, and gives it back afterwards. The server is
// shared here; the databases are not.
func (h *hub) withoutDatabase(ctx context.Context, name string, act func(context.Context) error) error {
	db, err := sqldb.Open(ctx, "postgres://hub@"+h.Address("postgres")+"/postgres?sslmode=disable")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, `ALTER DATABASE `+name+` ALLOW_CONNECTIONS false`); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
		return err
	}
	err = act(ctx)
	_, back := db.ExecContext(context.WithoutCancel(ctx), `ALTER DATABASE `+name+` ALLOW_CONNECTIONS true`)
	return errors.Join(err, back)
}

// newTokens demands that applications get tokens with an assertion and with a certificate-bound one.
func (c *chaos) newTokens(ctx context.Context) error {
	for _, caller := range []*caller{c.required[0], c.bound} {
		if _, err := caller.token(ctx, true); err != nil {
			return fmt.Errorf("token: %w", err)
		}
	}
	return nil
}

// registryDatabaseDown: calls and tokens go on, and so does reading the administration; a change is refused with when to try
// again, and is done when it is tried afterwards.
func (c *chaos) registryDatabaseDown(ctx context.Context) error {
	hilda, err := c.officeOf(ctx, "hilda")
	if err != nil {
		return err
	}
	change := func(ctx context.Context) error {
		_, err := hilda.Do(ctx, http.MethodPut, "/verwerkingen/proef", "", registry.ActivityBody{
			Name: "Proef", Purpose: "uitproberen", LegalBasis: "AVG, artikel 6", Retention: "P1D",
		}, nil)
		return err
	}
	err = c.unharmed(ctx, func(ctx context.Context) error {
		return c.withoutDatabase(ctx, "registry", func(ctx context.Context) error {
			wait(ctx, downFor)
			if c.Process("registry").Ready(ctx) == nil {
				return errors.New("the registry says it is ready without its database")
			}
			var refused *errs.Error
			if err := change(ctx); !errors.As(err, &refused) || refused.Code.Kind != errs.Unavailable || refused.RetryAfter == 0 {
				return fmt.Errorf("a change ended as %w, want 503 with when to try again", err)
			}
			if _, err := hilda.Do(ctx, http.MethodGet, "/organisaties", "", nil, nil); err != nil {
				return fmt.Errorf("reading the administration: %w", err)
			}
			return c.newTokens(ctx)
		})
	})
	if err != nil {
		return err
	}
	return eventually(ctx, patience, change)
}

func (c *chaos) authserverDatabaseDown(ctx context.Context) error {
	return c.unharmed(ctx, func(ctx context.Context) error {
		return c.withoutDatabase(ctx, "authserver", func(ctx context.Context) error {
			wait(ctx, downFor)
			return c.newTokens(ctx)
		})
	})
}

// casesDatabaseDown: transfers are refused while addresses go on, and what was acknowledged before is there afterwards.
func (c *chaos) casesDatabaseDown(ctx context.Context) error {
	id, err := c.handOver(ctx, nil)
	if err != nil {
		return err
	}
	file, err := c.newCase()
	if err != nil {
		return err
	}
	err = c.unharmed(ctx, func(ctx context.Context) error {
		return c.withoutDatabase(ctx, "cases", func(ctx context.Context) error {
			for _, act := range [][]string{
				{"transfer", "--from", "groningen", "--to", "assen", file},
				{"call", "--as", "assen", "--resource", c.URL + "/overdracht", "--scope", "assen-postvak overdracht.lezen", "GET /overdracht/v1/uitwisselingen"},
			} {
				out, told, err := c.run(ctx, act...)
				if err == nil || !strings.Contains(out+told, "unavailable") && !strings.Contains(out+told, "503") {
					return errors.Join(fmt.Errorf("%s without the database got another answer: %s%s", act[0], out, told), err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := eventually(ctx, patience, func(ctx context.Context) error {
		var found transferAnswer
		if err := c.query(ctx, &found, "inbox", "--as", "assen", "show", id); err != nil {
			return err
		}
		if found.Transfer.State != "verwerkt" || len(found.Receipts) != len(whole) {
			return fmt.Errorf("the case that was acknowledged is %s with %d receipts", found.Transfer.State, len(found.Receipts))
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = c.handOver(ctx, nil) // and the next one goes as ever
	return err
}
