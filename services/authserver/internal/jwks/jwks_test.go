package jwks

import (
	"encoding/json"
	"testing"

	"noorderhub.nl/hub/services/registry/api"
)

type source struct{ s *api.Snapshot }

func (s *source) Current() *api.Snapshot { return s.s }

func TestTheSetFollowsOwnKeysAndSnapshot(t *testing.T) {
	own := json.RawMessage(`{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"1","y":"2","d":"secret"}]}`)
	snapshots := &source{}
	h := New(func() json.RawMessage { return own }, snapshots)
	for _, step := range []struct {
		name   string
		change func()
		want   string
	}{
		{"own only", func() {}, `{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"1","y":"2"}]}`},
		{"a gateway's, and ours once more", func() {
			snapshots.s = &api.Snapshot{Keys: []api.PartKeys{{JWKS: own}, {JWKS: json.RawMessage(`{"keys":[{"kty":"EC","kid":"b"},{"kty":"oct"}]}`)}, {JWKS: json.RawMessage(`x`)}}}
		}, `{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"1","y":"2"},{"kty":"EC","kid":"b"}]}`},
		{"own renewed", func() { own = json.RawMessage(`{"keys":[{"kty":"EC","kid":"c"}]}`); snapshots.s = nil }, `{"keys":[{"kty":"EC","kid":"c"}]}`},
	} {
		step.change()
		if got := string(h.document()); got != step.want {
			t.Errorf("%s:\ngot  %s\nwant %s", step.name, got, step.want)
		}
		if first, second := h.document(), h.document(); &first[0] != &second[0] {
			t.Errorf("%s: the set is made anew for every request", step.name)
		}
	}
}
