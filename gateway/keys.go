package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/gateway/internal/policy"
	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Publisher tells the registry the public halves of a part's keys; *registry.Remote is one.
type Publisher interface {
	PublishKeys(ctx context.Context, keys registry.PartKeys) error
}

// callKey reads the key of call tokens, or makes it. It is kept on the gateway's volume, so that a gateway that starts
// while the registry is away has a key the services already know.
func callKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return parseKey(path, text)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePrivate(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func parseKey(path string, text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an EC key", path)
	}
	return key, nil
}

// writePrivate puts the file there whole or not at all.
func writePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// announcer keeps the public half of the gateway's key in the snapshot, also after a registry was restored without it.
type announcer struct {
	signer    *token.Signer
	instance  string
	snapshots policy.Snapshots
	to        Publisher
	logger    *slog.Logger
}

// Pauses between two tries, and what a try may take.
const (
	announceFirst   = 100 * time.Millisecond
	announceMost    = 15 * time.Second
	announceTimeout = 10 * time.Second
	// announceSettle is how long a snapshot with the key may take to come after the registry took it.
	announceSettle = 10 * time.Second
)

func (a *announcer) run(ctx context.Context) error {
	pause := announceFirst
	for {
		changed := a.snapshots.Changed()
		wait := time.Duration(-1)
		if !a.known() {
			if err := a.publish(ctx); err != nil {
				a.logger.WarnContext(ctx, "key of call tokens not published", "error", err)
				wait = pause/2 + mathrand.N(pause)
				pause = min(2*pause, announceMost)
			} else {
				pause, wait = announceFirst, announceSettle
			}
		}
		var timer <-chan time.Time
		if wait >= 0 {
			timer = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-timer:
		}
	}
}

func (a *announcer) publish(ctx context.Context) error {
	set, err := token.PublicSet(a.signer.Public())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	return a.to.PublishKeys(ctx, registry.PartKeys{Part: Part, Instance: a.instance, JWKS: set})
}

func (a *announcer) known() bool {
	s := a.snapshots.Current()
	if s == nil {
		return false
	}
	for _, k := range s.Keys {
		if k.Part != Part || k.Instance != a.instance {
			continue
		}
		if keys, err := token.ParseKeys(k.JWKS); err == nil && keys[a.signer.KeyID()] != nil {
			return true
		}
	}
	return false
}
