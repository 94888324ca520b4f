package api_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/services/registry/api"
)

// hinted is a world whose follower heeds hints.
func hinted(t *testing.T) (*world, *api.Follower, chan struct{}) {
	w := newWorld(t)
	f, hints := w.follower(), make(chan struct{}, 1)
	f.Heed(hints)
	w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
	return w, f, hints
}

func TestAHintBringsAChangeAtOnceAndTheNetWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, hints := hinted(t)
		defer w.run(f)()
		w.want(f, api.Version{Epoch: 1, Number: 1})
		time.Sleep(time.Second)
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 2}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		hints <- struct{}{}
		w.want(f, api.Version{Epoch: 1, Number: 2})
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 3}), nil) // its hint is lost
		time.Sleep(5 * time.Second)
		w.want(f, api.Version{Epoch: 1, Number: 3})
		if age := f.Age(); age > 5*time.Second {
			t.Errorf("got age %v although the registry answers", age)
		}
	})
}

func TestAHintEndsABackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, hints := hinted(t)
		defer w.run(f)()
		w.want(f, api.Version{Epoch: 1, Number: 1})
		w.registry.set(api.Sealed{}, errors.New("connection refused"))
		time.Sleep(time.Hour)
		asked := w.registry.polls()
		for w.registry.polls() == asked { // just after an attempt
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 2}), nil)
		hints <- struct{}{}
		time.Sleep(100 * time.Millisecond)
		w.want(f, api.Version{Epoch: 1, Number: 2})
	})
}

func TestHintsWithoutEndCostNoMoreThanTwentyQuestionsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, hints := hinted(t)
		defer w.run(f)()
		w.want(f, api.Version{Epoch: 1, Number: 1})
		before := w.registry.polls()
		for range 10_000 {
			select {
			case hints <- struct{}{}:
			default:
			}
			time.Sleep(time.Millisecond)
		}
		if asked := w.registry.polls() - before; asked < 10 || asked > 210 {
			t.Errorf("got %d questions in 10 seconds of hints", asked)
		}
	})
}

func TestARegistryThatDoesNotWaitIsNotAskedWithoutPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.follower()
		defer w.run(f)()
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		w.registry.set(api.Sealed{}, api.ErrNothingNewer)
		before := w.registry.polls()
		time.Sleep(10 * time.Second)
		if asked := w.registry.polls() - before; asked > 210 {
			t.Errorf("got %d questions in 10 seconds", asked)
		}
		if strings.Contains(w.log.String(), "not followed") {
			t.Error("nothing newer counts as a fault")
		}
	})
}
