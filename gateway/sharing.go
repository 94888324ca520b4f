package gateway

import (
	"context"

	"noorderhub.nl/hub/gateway/internal/cache"
	"noorderhub.nl/hub/gateway/internal/limit"
	"noorderhub.nl/hub/gateway/internal/shared"
	"noorderhub.nl/hub/libs/redisdb"
)

// shareMemory opens what the gateways remember together. Redis is an aid: a gateway starts and serves without it.
func (w *wiring) shareMemory(ctx context.Context) error {
	client := w.deps.Redis
	if client == nil && w.cfg.shared() {
		opened, stop, err := redisdb.Open(ctx, w.cfg.Redis)
		if err != nil {
			return err
		}
		w.app.OnStop("redis", func(context.Context) error { stop(); return nil })
		client = opened
	}
	w.shared = shared.New(client, w.deps.Logger)
	w.app.Background("shared memory", w.shared.Run)
	var err error
	if w.limits, err = limit.New(w.shared, nil); err != nil {
		return err
	}
	w.app.Background("limits", w.limits.Run)
	if w.cfg.Cache.Memory == 0 || w.cfg.Cache.Answer == 0 {
		return nil
	}
	w.cache, err = cache.New(cache.Config{
		Memory: w.shared, Secret: w.cfg.Cache.Key.Reveal(), Bytes: w.cfg.Cache.Memory, Answer: w.cfg.Cache.Answer, Logger: w.deps.Logger,
	})
	if err != nil {
		return err
	}
	w.app.Background("cache", w.cache.Run)
	return nil
}
