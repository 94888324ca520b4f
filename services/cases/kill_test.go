package cases_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/cases"
	"noorderhub.nl/hub/services/cases/api"
)

// kills is how many runs TestNothingIsLostOrDoubledUnderKill makes per database.
var kills = flag.Int("kills", 15, "runs of the kill test per database")

// childEnv names the file with what a service in a process of its own needs. The test binary starts itself with it.
const childEnv = "NOORDERHUB_TEST_CASES_CHILD"

// child is that file.
type child struct {
	Config cases.Config
	KeyID  string
	Key    string // public key of call tokens, PEM
	Fault  string // prefix of the statement before which the process is killed; empty: none
	At     int64  // the how manieth of them
}

// TestServeUntilKilled is the other process; without its environment it has nothing to do.
func TestServeUntilKilled(t *testing.T) {
	file := os.Getenv(childEnv)
	if file == "" {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c child
	decode(t, string(text), &c)
	block, _ := pem.Decode([]byte(c.Key))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	var seen atomic.Int64
	s, err := cases.New(t.Context(), c.Config, cases.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), CallKeys: token.Keys{c.KeyID: key.(*ecdsa.PublicKey)},
		Snapshots: newSnapshots(), Logbook: &logbook{},
		Fault: func(statement string) error {
			if c.Fault != "" && strings.HasPrefix(strings.TrimSpace(statement), c.Fault) && seen.Add(1) == c.At {
				return syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("serves " + s.Addr())
	_ = s.Run(context.Background()) // ends by the kill
}

// faultPoints are the places between two statements where a process is killed.
var faultPoints = []string{
	"", "INSERT INTO transfers", "UPDATE transfers SET state", "UPDATE transfers SET leased_until", "INSERT INTO receipts", "INSERT INTO data_keys", "INSERT INTO payloads",
	"INSERT INTO idempotency_keys", "INSERT INTO feeds", "INSERT INTO events", "COMMIT",
}

// killed is a service that is killed again and again, behind a proxy that cuts connections.
type killed struct {
	*rig
	front   net.Listener
	target  atomic.Value // address of the service
	cutting atomic.Bool

	mu       sync.Mutex
	answered map[string][]string // transfer → receipts that were given out
	expiring map[string]bool     // transfers that end by their deadline, with one receipt that nobody asks for

	process           *exec.Cmd
	died              chan struct{} // closed when it has ended
	fault             string        // that the process dies at; empty: none
	atFault, atRandom int           // kills
}

// Whatever is killed and whenever: what was acknowledged is there, once, in a chain that verifies, with one event per party.
func TestNothingIsLostOrDoubledUnderKill(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		k := &killed{rig: prepare(t, dsn), answered: map[string][]string{}, expiring: map[string]bool{}}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		k.front, k.base = l, "https://"+l.Addr().String()
		go k.relay()
		t.Cleanup(func() { _ = l.Close(); k.kill() })
		for run := range *kills {
			k.run(run)
			if t.Failed() {
				t.Fatalf("in run %d of %d", run+1, *kills)
			}
		}
		k.cutting.Store(false)
		k.serve("", 0)
		k.check()
		t.Logf("%d transfers in %d runs, killed %d times at a fault point and %d times at random", len(k.answered), *kills, k.atFault, k.atRandom)
		if k.atFault+k.atRandom < *kills/3 {
			t.Error("too few kills to say anything")
		}
	})
}

// run lets senders and receivers work while the service dies at a fault point and at a moment of chance.
func (k *killed) run(n int) {
	k.cutting.Store(true)
	k.serve(faultPoints[n%len(faultPoints)], 1+rand.Int64N(8))
	var all sync.WaitGroup
	for _, ending := range []string{api.StateClosed, api.StateRefused, api.StateDeclined, api.StateWithdrawn, api.StateExpired, api.StateClosed} {
		all.Go(func() {
			for range 2 {
				k.handOver(ending)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for left := randomKills; ; {
		moment := 10*time.Millisecond + rand.N(90*time.Millisecond)
		if k.fault != "" || left == 0 {
			moment = time.Minute // the fault comes by itself; and some time the work must be done
		}
		select {
		case <-done:
			k.kill()
			return
		case <-k.died:
			k.atFault++
		case <-time.After(moment):
			k.kill()
			k.atRandom++
			left--
		}
		k.serve("", 0)
	}
}

// randomKills is how often a run kills at a moment of chance, after the fault point.
const randomKills = 2

// kill ends the process at once and waits until it is gone.
func (k *killed) kill() {
	if k.process == nil {
		return
	}
	_ = k.process.Process.Kill() // it may have died by itself
	<-k.died
}

// serve starts the service in a process of its own.
func (k *killed) serve(fault string, at int64) {
	t := k.t
	cfg := k.config()
	var kid string
	var public *ecdsa.PublicKey
	for id, key := range k.issuer.Keys() {
		kid, public = id, key
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Error(err)
		return
	}
	file := filepath.Join(t.TempDir(), "child.json")
	text := jsonOf(t, child{
		Config: cfg, KeyID: kid, Key: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), Fault: fault, At: at,
	})
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Error(err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServeUntilKilled$") // it ends by a kill
	cmd.Env = append(os.Environ(), childEnv+"="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	died := make(chan struct{})
	k.process, k.died, k.fault = cmd, died, fault
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "serves "); ok {
			k.target.Store(address)
			go func() {
				_, _ = io.Copy(io.Discard, out)
				_ = cmd.Wait() // the output is at its end first: see StdoutPipe
				close(died)
			}()
			return
		}
		t.Log(lines.Text())
	}
	_ = cmd.Wait()
	close(died)
	t.Error("the service did not start")
}

// relay forwards connections, and now and then cuts one after some bytes of the answer.
func (k *killed) relay() {
	for {
		in, err := k.front.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = in.Close() }()
			address, _ := k.target.Load().(string)
			out, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", address)
			if err != nil {
				return
			}
			defer func() { _ = out.Close() }()
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			if k.cutting.Load() && rand.N(4) == 0 {
				_, _ = io.CopyN(in, out, 2000+rand.Int64N(6000))
				return
			}
			_, _ = io.Copy(in, out)
		}()
	}
}

// insist repeats a command until it is answered. What the service answered counts; what broke says nothing.
func (k *killed) insist(id string, give func(context.Context) (api.Transfer, error)) (api.Transfer, error) {
	for deadline := time.Now().Add(30 * time.Second); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		t, err := give(ctx)
		cancel()
		if err == nil {
			k.mu.Lock()
			k.answered[id] = append(k.answered[id], t.Receipt)
			k.mu.Unlock()
			return t, nil
		}
		e := errs.As(err)
		if refused := e.Code.Kind != errs.Internal && e.Code.Kind != errs.Unavailable; refused || time.Now().After(deadline) {
			return t, err
		}
		wait := time.NewTimer(20 * time.Millisecond)
		<-wait.C
	}
}

// keyed gives a client that sends an Idempotency-Key of the step along.
func keyed(c *api.Client, id string, step int) *api.Client {
	c.HTTP.Transport = withKey{fmt.Sprintf("%s-%d", id, step), c.HTTP.Transport}
	return c
}

type withKey struct {
	key  string
	base http.RoundTripper
}

func (w withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Idempotency-Key", w.key)
	return w.base.RoundTrip(r)
}

// handOver brings one transfer to an end; every POST carries an Idempotency-Key, and all are sent until it is answered.
func (k *killed) handOver(ending string) {
	id, offer := newID(), newOffer(assen)
	if ending == api.StateExpired {
		soon := time.Now().Add(700 * time.Millisecond)
		offer.Deadline = &soon
	}
	step := 0
	sender := func() *api.Client { return keyed(k.as(groningen, toAssen), id, step) }
	receiver := func() *api.Client { return keyed(k.as(assen, assenOwn), id, step) }
	steps := []struct {
		to   string
		give func(context.Context) (api.Transfer, error)
	}{
		{api.StateOffered, func(ctx context.Context) (api.Transfer, error) { return sender().Offer(ctx, id, offer) }},
		{api.StateDeclined, func(ctx context.Context) (api.Transfer, error) {
			return receiver().Decline(ctx, id, 0, "niet voor ons")
		}},
		{api.StateAccepted, func(ctx context.Context) (api.Transfer, error) { return receiver().Accept(ctx, id, 0) }},
		{api.StateWithdrawn, func(ctx context.Context) (api.Transfer, error) { return sender().Withdraw(ctx, id, 0, "vergissing") }},
		{api.StateDelivered, func(ctx context.Context) (api.Transfer, error) { return sender().Deliver(ctx, id, 0, []byte(document)) }},
		{api.StateRefused, func(ctx context.Context) (api.Transfer, error) {
			return receiver().Refuse(ctx, id, 0, api.Refuse{Code: api.RefusedOther, Reason: "toch niet"})
		}},
		{api.StateAcknowledged, func(ctx context.Context) (api.Transfer, error) {
			return receiver().Acknowledge(ctx, id, 0, api.Processed{ID: "ASN-77"})
		}},
		{api.StateClosed, func(ctx context.Context) (api.Transfer, error) { return sender().Close(ctx, id, 0, api.SourceClosed) }},
	}
	ends := []string{api.StateDeclined, api.StateWithdrawn, api.StateRefused, api.StateClosed}
	for _, s := range steps {
		if slices.Contains(ends, s.to) && s.to != ending {
			continue
		}
		step++
		if _, err := k.insist(id, s.give); err != nil {
			if ending == api.StateExpired && errs.As(err).Code.ID == "deadline-passed" {
				return // it never came about: nothing was acknowledged
			}
			k.t.Errorf("%s of %s: %v", s.to, id, err)
			return
		}
		if ending == api.StateExpired {
			k.mu.Lock()
			k.expiring[id] = true
			k.mu.Unlock()
			return
		}
		if s.to == ending {
			return
		}
	}
}

// check goes over the history: every receipt that was given out stands in a chain that verifies, and in the feeds of both
// parties each receipt has its one event, in order.
func (k *killed) check() {
	t := k.t
	k.waitForExpiry()
	events := map[string][]string{} // organisation, transfer → sequence numbers
	for organisation, grant := range map[string]string{groningen: groningenOwn, assen: assenOwn} {
		cursor := ""
		for {
			page, err := k.as(organisation, grant).Events(t.Context(), cursor, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				events[organisation+e.Subject] = append(events[organisation+e.Subject], e.Sequence)
			}
			if cursor = page.Next; len(page.Events) == 0 {
				break
			}
		}
	}
	for id, given := range k.answered {
		bundle, err := k.as(groningen, groningenOwn).Receipts(t.Context(), id)
		if err != nil {
			t.Errorf("%s was acknowledged: %v", id, err)
			continue
		}
		if _, err := api.VerifyReceipts(bundle, api.Trust{Anchors: k.material.ca.Pool(), Hub: hubOIN}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for _, receipt := range given {
			if !slices.Contains(bundle.Receipts, receipt) {
				t.Errorf("%s: a receipt that was given out is not in the chain", id)
			}
		}
		want := len(given)
		if k.expiring[id] {
			want++
		}
		if len(bundle.Receipts) != want {
			t.Errorf("%s: %d receipts, %d were given out", id, len(bundle.Receipts), len(given))
		}
		for _, organisation := range []string{groningen, assen} {
			got := events[organisation+id]
			for i, sequence := range got {
				if sequence != fmt.Sprint(i+1) {
					t.Errorf("%s: events of %s are %v", id, organisation, got)
					break
				}
			}
			if len(got) != len(bundle.Receipts) {
				t.Errorf("%s: %d events of %s for %d receipts", id, len(got), organisation, len(bundle.Receipts))
			}
		}
	}
	if len(events) != 2*len(k.answered) {
		t.Errorf("%d feeds of transfers for %d transfers that were acknowledged", len(events), len(k.answered))
	}
}

// waitForExpiry gives the last deadlines time to pass, so that the history stands still while it is read.
func (k *killed) waitForExpiry() {
	for id := range k.expiring {
		for limit := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			bundle, err := k.as(groningen, groningenOwn).Receipts(k.t.Context(), id)
			if err == nil && len(bundle.Receipts) > len(k.answered[id]) {
				break
			}
			if time.Now().After(limit) {
				k.t.Fatalf("%s did not expire: %v", id, err)
			}
		}
	}
}
