package publisher

import (
	"encoding/json"

	"noorderhub.nl/hub/services/registry/api"
)

// step leads from one published snapshot to the next.
type step struct {
	from api.Version
	hash string          // of the body it starts from
	text json.RawMessage // api.Step
}

// history is the steps that lead to the snapshot in force, oldest first. It is never changed. Steps that together are as
// large as the snapshot itself are let go: the whole is the better answer then.
type history []step

// next is the history after one more publication. It begins anew with an epoch: who stands in an older one holds what the
// registry may never have had. Without a history everybody gets the whole.
func (h history) next(old, fresh *State) history {
	body := fresh.Sealed.Body
	if old.Snapshot.Version.Epoch != fresh.Snapshot.Version.Epoch {
		return nil
	}
	text, err := json.Marshal(api.Diff(old.Sealed.Body, body))
	if err != nil || len(text) >= len(body) {
		return nil
	}
	size, from := len(text), len(h)
	for from > 0 && size < len(body) && len(h)-from < api.MaxSteps-1 {
		from--
		size += len(h[from].text)
	}
	if size >= len(body) && from < len(h) {
		from++
	}
	kept := append(make(history, 0, len(h)-from+1), h[from:]...)
	return append(kept, step{from: old.Snapshot.Version, hash: old.sum, text: text})
}

// since gives the encoded api.Delta from what somebody holds, nil when there is none or it is no smaller than whole.
func (h history) since(held api.Held, whole int) ([]byte, error) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].from != held.Version || h[i].hash != held.Hash {
			continue
		}
		var delta struct {
			Steps []json.RawMessage `json:"steps"`
		}
		for _, s := range h[i:] {
			delta.Steps = append(delta.Steps, s.text)
		}
		text, err := json.Marshal(delta)
		if err != nil || len(text) >= whole {
			return nil, err
		}
		return text, nil
	}
	return nil, nil
}
