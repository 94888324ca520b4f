package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"time"

	"noorderhub.nl/hub/services/registry/internal/notify"
)

// deadline is for one message, from connection to the server's word.
const deadline = 40 * time.Second

// Send hands one message to the mail server. It is delivered once the server has taken it.
func (s *Sender) Send(ctx context.Context, m notify.Message) error {
	if len(m.Events) == 0 || !m.Digest && len(m.Events) != 1 {
		return &notify.Failure{Result: "not one event", Class: notify.Undeliverable}
	}
	text, err := s.compose(m, s.o.Now())
	if err != nil {
		return &notify.Failure{Result: "internal error", Class: notify.Undeliverable, Cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return away("mail server", err)
	}
	// Ends whatever waits for the server when time is up.
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer func() {
		stop()
		_ = client.Close()
	}()
	return s.transfer(client, m.Channel.Address, text)
}

// connect makes a session that is protected and, when there is a user, logged in.
func (s *Sender) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.o.Server)
	if err != nil {
		return nil, err
	}
	if at, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(at); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if s.o.Security == Implicit {
		conn = tls.Client(conn, s.tls)
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if err := s.greet(client); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

func (s *Sender) greet(client *smtp.Client) error {
	if err := client.Hello(s.hello); err != nil {
		return err
	}
	if s.o.Security == StartTLS {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return errors.New("the mail server offers no STARTTLS")
		}
		if err := client.StartTLS(s.tls); err != nil {
			return err
		}
	}
	if s.o.User == "" {
		return nil
	}
	return client.Auth(smtp.PlainAuth("", s.o.User, s.o.Password.Reveal(), s.host))
}

// transfer sends one message in a session.
func (s *Sender) transfer(client *smtp.Client, to string, text []byte) error {
	if err := client.Mail(s.from.Address); err != nil {
		return away("sender", err)
	}
	if err := client.Rcpt(to); err != nil {
		f := away("recipient", err)
		if f.Class = notify.Refused; noMailbox(err) { // the next one may fare better
			f.Class = notify.Undeliverable
		}
		return f
	}
	w, err := client.Data()
	if err != nil {
		return away("message", err)
	}
	if _, err := w.Write(text); err != nil {
		return away("message", err)
	}
	if err := w.Close(); err != nil {
		f := away("message", err)
		if permanent(err) {
			f.Class = notify.Undeliverable
		}
		return f
	}
	_ = client.Quit() // the server has the message; how it says goodbye changes nothing
	return nil
}

// away is a failure of the mail server, or of the way to it. step says where.
func away(step string, err error) *notify.Failure {
	f := &notify.Failure{Result: "mail server away", Class: notify.Away, Cause: err}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.Result = fmt.Sprintf("SMTP %d at %s", reply.Code, step)
		f.Cause = errors.New(f.Result) // what the server writes may repeat the address
	} else if errors.Is(err, io.EOF) {
		f.Result = "mail server broke off"
	}
	return f
}

// permanent tells a 5xx: trying again changes nothing.
func permanent(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return ok && reply.Code >= 500
}

// noMailbox tells a recipient that is not there (RFC 5321 §4.2.3, RFC 7504). Another 5xx, as for a relay that does not know
// the hub, is for the hub's operator to mend: that passes.
func noMailbox(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return ok && (reply.Code == 550 || reply.Code == 551 || reply.Code == 553 || reply.Code == 556)
}
