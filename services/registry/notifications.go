package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/cloudevent"
	"noorderhub.nl/hub/services/registry/internal/notify/mail"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
	"noorderhub.nl/hub/services/registry/internal/notify/webhook"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Notifications says how organisations are told beside the feed.
type Notifications struct {
	Mail   Mail   `yaml:"mail"`   // the server that takes mail
	Digest int    `yaml:"digest"` // hour at which daily mails go out, 0 to 23; default 7
	Zone   string `yaml:"zone"`   // time zone of mails and of digest; default Europe/Amsterdam
}

// Mail is the mail server. Without server no mail is sent.
type Mail struct {
	Server   string        `yaml:"server"`   // host:port; empty: no mail
	Security mail.Security `yaml:"security"` // starttls (default), tls, or none on loopback
	CA       string        `yaml:"ca"`       // PEM file of its authority; empty: the system's
	User     string        `yaml:"user"`     // empty: it asks for no password
	Password config.Secret `yaml:"password"` // of user
	From     string        `yaml:"from"`     // mail address, may have a name
}

// endingsEvery is the pause between two looks for what comes to an end.
const endingsEvery = time.Hour

// webhookKeys follow from the envelopes, the newest first. The first one signs; the others stay published for what is on
// its way.
func webhookKeys(cfg Config) ([]*ecdsa.PrivateKey, error) {
	var out []*ecdsa.PrivateKey
	for _, secret := range append([]config.Secret{cfg.Envelope}, cfg.OldEnvelopes...) {
		for try := 0; ; try++ {
			raw, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, fmt.Sprintf("noorderhub webhook signature %d", try), 32)
			if err != nil {
				return nil, err
			}
			if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw); err == nil {
				out = append(out, key)
				break
			} else if try > 10 {
				return nil, err // one in 2³² draws is out of range; ten in a row are a fault of the program
			}
		}
	}
	return out, nil
}

// openNotifications wires the dispatcher. It gives the key set that receivers check webhooks with.
func (s *Service) openNotifications(cfg Config, deps Deps) (*notify.Dispatcher, []byte, error) {
	keys, err := webhookKeys(cfg)
	if err != nil {
		return nil, nil, err
	}
	public := make([]*ecdsa.PublicKey, len(keys))
	for i, k := range keys {
		public[i] = &k.PublicKey
	}
	set, err := webhook.KeySet(public...)
	if err != nil {
		return nil, nil, err
	}
	zone, err := time.LoadLocation(cfg.Notifications.Zone)
	if err != nil {
		return nil, nil, err
	}
	hooks, err := webhook.New(webhook.Options{
		Client: outbound.New(outbound.Settings{}), Key: keys[0], Now: deps.Now,
		Source: cloudevent.Source{Hub: cfg.Hub, OIN: oin.OIN(s.publisher.State().Directory.Hub().Organisation)},
		Networks: func(number oin.OIN) []string {
			if o := s.publisher.State().Directory.Organisation(string(number)); o != nil {
				return o.Networks
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	senders := map[notify.ChannelType]notify.Sender{notify.Webhook: hooks}
	if cfg.Notifications.Mail.Server != "" {
		if senders[notify.Mail], err = s.mailer(cfg, zone, deps.Now); err != nil {
			return nil, nil, err
		}
	}
	d, err := notify.New(notify.Options{
		Store: notifysql.New(s.keeper.db), Senders: senders, Digest: notify.Rhythm{Hour: cfg.Notifications.Digest, Location: zone},
		NewID: notifysql.NewID, Logger: deps.Logger, Now: deps.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	s.app.Background("notifications", d.Run)
	s.app.Background("endings", func(ctx context.Context) error { return s.tellEndings(ctx, d, deps) })
	return d, set, nil
}

func (s *Service) mailer(cfg Config, zone *time.Location, now func() time.Time) (*mail.Sender, error) {
	m := cfg.Notifications.Mail
	var roots *x509.CertPool
	if m.CA != "" {
		text, err := os.ReadFile(m.CA)
		if err != nil {
			return nil, err
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("notifications.mail.ca: %s holds no certificate", m.CA)
		}
	}
	return mail.New(mail.Options{
		Server: m.Server, Security: m.Security, Roots: roots, User: m.User, Password: m.Password, From: m.From, Hub: cfg.Hub, Location: zone, Now: now,
		Name: func(number oin.OIN) string {
			if o := s.publisher.State().Directory.Organisation(string(number)); o != nil {
				return o.Name
			}
			return string(number)
		},
	})
}

// tellEndings announces what comes to an end, at the start and every hour.
func (s *Service) tellEndings(ctx context.Context, d *notify.Dispatcher, deps Deps) error {
	tick := time.NewTicker(endingsEvery)
	defer tick.Stop()
	for {
		fresh, err := s.store.TellOnce(ctx, administration.Endings(s.publisher.State().Directory, deps.Now()))
		if err != nil && ctx.Err() == nil {
			deps.Logger.WarnContext(ctx, "endings are announced later", "error", err)
		}
		if fresh > 0 {
			deps.Logger.InfoContext(ctx, "endings announced", slog.Int("events", fresh))
			d.Wake()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// desk implements administration.Desk: every change with its audit record.
type desk struct {
	*notifysql.Store
	log *store.Store
	now func() time.Time
}

var _ administration.Desk = desk{}

func (k desk) AddChannel(ctx context.Context, act audit.Record, a notify.Admitted) (c notify.Channel, err error) {
	err = k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		c, err = notifysql.AddChannel(ctx, tx, a, k.now())
		act.Subject.ID = c.ID
		return act, err
	})
	return c, err
}

func (k desk) ChangeChannel(ctx context.Context, act audit.Record, a notify.Admitted) (c notify.Channel, err error) {
	err = k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		c, err = notifysql.ChangeChannel(ctx, tx, a)
		return act, err
	})
	return c, err
}

func (k desk) RemoveChannel(ctx context.Context, act audit.Record, organisation oin.OIN, id string, revision int64) error {
	return k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		return act, notifysql.RemoveChannel(ctx, tx, organisation, id, revision, k.now())
	})
}

func (k desk) AddMute(ctx context.Context, act audit.Record, m notify.Mute) (out notify.Mute, err error) {
	err = k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		out, err = notifysql.AddMute(ctx, tx, m, k.now())
		act.Subject.ID = out.ID
		return act, err
	})
	return out, err
}

func (k desk) RemoveMute(ctx context.Context, act audit.Record, organisation oin.OIN, id string) error {
	return k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		return act, notifysql.RemoveMute(ctx, tx, organisation, id)
	})
}

func (k desk) Retry(ctx context.Context, act audit.Record, organisation oin.OIN, channel, event string) (n int, err error) {
	err = k.log.Act(ctx, func(tx *sql.Tx) (audit.Record, error) {
		n, err = notifysql.Retry(ctx, tx, organisation, channel, event, k.now())
		return act, err
	})
	return n, err
}

func (k desk) Record(ctx context.Context, act audit.Record) error { return k.log.Audit(ctx, act) }

func (n *Notifications) validate() error {
	var faults []error
	if n.Digest < 0 || n.Digest > 23 {
		faults = append(faults, errors.New("notifications.digest is not an hour from 0 to 23"))
	}
	if _, err := time.LoadLocation(n.Zone); err != nil || n.Zone == "" {
		faults = append(faults, errors.New("notifications.zone is not a time zone such as Europe/Amsterdam"))
	}
	if n.Mail.Server == "" && n.Mail != (Mail{}) {
		faults = append(faults, errors.New("notifications.mail.server is missing"))
	}
	return errors.Join(faults...)
}
