package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/region"
)

// MaxWait bounds a long poll, in seconds; the listener's write timeout exceeds it.
const MaxWait = 60

// afterStop is what a follower is told to wait when the registry stops.
const afterStop = 5 * time.Second

var (
	versionShape  = regexp.MustCompile(`^[0-9]{1,18}\.[0-9]{1,18}$`)
	hashShape     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	instanceShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// snapshot is no kit operation: the signature is over the very bytes, and no encoder may touch them.
func (h *handlers) snapshot(w http.ResponseWriter, r *http.Request) {
	telemetry.SetRoute(r.Context(), http.MethodGet+" "+Internal+"/snapshot")
	state, delta, err := h.newest(r)
	switch {
	case errors.Is(err, api.ErrNothingNewer):
		w.WriteHeader(http.StatusNoContent)
		return
	case errs.KindOf(err) == errs.MethodNotAllowed && err != nil:
		w.Header().Set("Allow", http.MethodGet)
	}
	if err != nil {
		h.problems.Write(w, r, err)
		return
	}
	body, mediaType := state.Sealed.Body, "application/json"
	if delta != nil {
		body, mediaType = delta, api.DeltaType
	}
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept")
	header.Set("API-Version", version)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set(api.SignatureHeader, state.Sealed.Signature)
	_, _ = w.Write(body) // the part went away: it asks again
}

// newest waits for what is newer than the asker has, and gives it with the delta to it where the asker takes one.
func (h *handlers) newest(r *http.Request) (*publisher.State, []byte, error) {
	after, wait, err := h.held(r)
	if err != nil {
		return nil, nil, err
	}
	state, err := h.await(r.Context(), after, wait)
	if err != nil || after.Hash == "" || !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), api.DeltaType) {
		return state, nil, err
	}
	delta, err := state.Delta(after)
	return state, delta, err
}

// held reads what the asker has and how long it waits.
func (h *handlers) held(r *http.Request) (after api.Held, wait time.Duration, err error) {
	if r.Method != http.MethodGet {
		return after, 0, errs.CodeMethod.New("%s is not allowed here", r.Method)
	}
	if err := allow(r.Context(), readers...); err != nil {
		return after, 0, err
	}
	q := kit.NewQuery(r)
	text := q.String("na", kit.Match(versionShape, "epoch.number"))
	after.Hash = q.String("hash", kit.Match(hashShape, "SHA-256 in hex"))
	seconds := q.Int("wacht", kit.Range(0, MaxWait))
	if err := q.Err(); err != nil {
		return after, 0, err
	}
	if text != "" {
		if after.Version, err = api.ParseVersion(text); err != nil {
			return after, 0, errs.CodeInvalid.Wrap(err, "na is not epoch.number")
		}
	}
	return after, time.Duration(seconds) * time.Second, nil
}

func (h *handlers) await(ctx context.Context, after api.Held, wait time.Duration) (*publisher.State, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	go func() {
		select {
		case <-h.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	state, err := h.Publisher.Await(ctx, after)
	switch {
	case errors.Is(err, publisher.ErrAhead):
		return nil, codeAhead.Wrap(err, "version %s was never published by this registry", after.Version)
	case errors.Is(err, publisher.ErrOther):
		return nil, codeOther.Wrap(err, "version %s has another content here", after.Version)
	case errors.Is(err, api.ErrNothingNewer) && h.stopping():
		// "Nothing newer" before the time is up would have every follower ask again at once.
		return nil, errs.CodeUnavailable.New("the registry stops").WithRetryAfter(afterStop)
	}
	return state, err
}

func (h *handlers) stopping() bool {
	select {
	case <-h.Stopping:
		return true
	default:
		return false
	}
}

type putKeys struct {
	part, instance string
	set            json.RawMessage
}

func (p *putKeys) Decode(r *http.Request) error {
	p.part, p.instance = r.PathValue("part"), r.PathValue("instance")
	if err := kit.NewQuery(r).Err(); err != nil {
		return err
	}
	return kit.JSON(r, &p.set)
}

func (p *putKeys) Validate() error {
	var fields []errs.Field
	if !instanceShape.MatchString(p.instance) {
		fields = append(fields, errs.Field{Name: "instance", Code: "pattern", Reason: "must match " + instanceShape.String()})
	}
	keys, err := token.ParseKeys(p.set)
	if err != nil || len(keys) == 0 {
		fields = append(fields, errs.Field{Name: "keys", Code: "jwks", Reason: "must be a JWK Set of public P-256 keys, each with kid"})
	}
	if len(fields) > 0 {
		return errs.CodeInvalid.New("the keys cannot be published").WithFields(fields...)
	}
	return nil
}

type noContent struct{}

func (noContent) StatusCode() int { return http.StatusNoContent }

// putKeys lets a part publish its own keys, never those of another: the access tokens of the hub hang on them.
func (h *handlers) putKeys(ctx context.Context, req putKeys) (noContent, error) {
	if err := allow(ctx, "gateway", "authserver"); err != nil {
		return noContent{}, err
	}
	if err := allow(ctx, req.part); err != nil {
		return noContent{}, err
	}
	compact, err := compactJSON(req.set)
	if err != nil {
		return noContent{}, err
	}
	return noContent{}, h.Publisher.PutKeys(ctx, api.PartKeys{Part: req.part, Instance: req.instance, JWKS: compact})
}

func compactJSON(raw json.RawMessage) (json.RawMessage, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (h *handlers) reload(ctx context.Context, _ reloadRequest) (api.Reloaded, error) {
	if err := allow(ctx, "hubctl"); err != nil {
		return api.Reloaded{}, err
	}
	v, err := h.Publisher.Reload(ctx, peer(ctx))
	var faults region.Faults
	if errors.As(err, &faults) {
		return api.Reloaded{}, refused(faults)
	}
	return api.Reloaded{Version: v.String()}, err
}

// reloadRequest has neither body nor query; a Content-Type does not matter.
type reloadRequest struct{}

func (*reloadRequest) Decode(r *http.Request) error { return kit.NewQuery(r).Err() }

func refused(faults region.Faults) error {
	e := codeRegion.New("%d faults", len(faults))
	for _, f := range faults {
		name := f.File
		if f.Place != "" {
			name += ": " + f.Place
		}
		e = e.WithFields(errs.Field{Name: name, Code: "fault", Reason: f.Reason})
	}
	return e
}
