package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/problem"
)

// MaxSnapshot bounds the bytes of a snapshot that a client takes.
const MaxSnapshot = 256 << 20

// ErrNothingNewer is the answer of a long poll that ran out: the caller's version is the current one.
var ErrNothingNewer = errors.New("no snapshot newer than the one asked after")

// Remote is the registry as another part reaches it: its internal API.
type Remote struct {
	Base string       // e.g. https://registry.hub.internal:8443, no trailing slash
	HTTP *http.Client // with the caller's workload certificate and without a timeout: long polls outlive one
}

// grace is what a long poll may take beyond the time it asked the registry to wait.
const grace = 15 * time.Second

// Snapshot waits up to wait (whole seconds) for a snapshot newer than after and gives it as it came; only Open tells
// whether it is the registry's. ErrNothingNewer when there is none in time. With a body held, the registry may answer with
// a delta, which is applied here; ErrDelta when it does not fit.
func (r *Remote) Snapshot(ctx context.Context, after Held, wait time.Duration) (Sealed, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+grace)
	defer cancel()
	query := url.Values{"wacht": {strconv.Itoa(int(wait / time.Second))}}
	if after.Version != (Version{}) {
		query.Set("na", after.Version.String())
	}
	if after.Hash != "" {
		query.Set("hash", after.Hash)
	}
	accept := jsonType
	if after.Body != nil {
		accept = DeltaType + ", " + jsonType
	}
	resp, err := r.do(ctx, http.MethodGet, "/intern/v1/snapshot?"+query.Encode(), nil, accept)
	if err != nil {
		return Sealed{}, err
	}
	defer drain(resp)
	if resp.StatusCode == http.StatusNoContent {
		return Sealed{}, ErrNothingNewer
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxSnapshot+1))
	if err != nil {
		return Sealed{}, fmt.Errorf("read snapshot: %w", err)
	}
	if len(body) > MaxSnapshot {
		return Sealed{}, fmt.Errorf("snapshot larger than %d bytes", MaxSnapshot)
	}
	delta := after.Body != nil && resp.Header.Get("Content-Type") == DeltaType
	if delta {
		d, err := decodeDelta(body)
		if err != nil {
			return Sealed{}, err
		}
		if body, err = d.Apply(after.Body); err != nil {
			return Sealed{}, err
		}
	}
	return Sealed{Body: body, Signature: resp.Header.Get(SignatureHeader), Delta: delta}, nil
}

// PublishKeys tells the registry the public halves of the keys that one instance of the calling part signs with. They
// replace those it published before, which stay in the snapshot for 24 hours.
func (r *Remote) PublishKeys(ctx context.Context, keys PartKeys) error {
	path := "/intern/v1/sleutels/" + url.PathEscape(keys.Part) + "/" + url.PathEscape(keys.Instance)
	resp, err := r.do(ctx, http.MethodPut, path, keys.JWKS, jsonType)
	if err != nil {
		return err
	}
	drain(resp)
	return nil
}

// Reload asks the registry to read its region file anew and gives the version that is in force afterwards. A file with
// faults leaves the old version in force and comes back as an error with one field per fault.
func (r *Remote) Reload(ctx context.Context) (Version, error) {
	resp, err := r.do(ctx, http.MethodPost, "/intern/v1/herladen", nil, jsonType)
	if err != nil {
		return Version{}, err
	}
	defer drain(resp)
	var out Reloaded
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&out); err != nil {
		return Version{}, fmt.Errorf("reload: %w", err)
	}
	return ParseVersion(out.Version)
}

const jsonType = "application/json"

func (r *Remote) do(ctx context.Context, method, path string, body []byte, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept+", "+problem.MediaType)
	if len(body) > 0 {
		req.Header.Set("Content-Type", jsonType)
	}
	resp, err := r.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	if err := problem.Read(resp); err != nil {
		drain(resp)
		return nil, fmt.Errorf("registry: %w", err)
	}
	return resp, nil
}

// drain reads the little that is left, so that the connection is used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
}
