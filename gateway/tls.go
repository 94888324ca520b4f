package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// outsideTLS is the configuration of the clients' listener. A client certificate is optional; one of an unknown authority
// ends the handshake. The server's certificate is read again when its files change, so it is renewed without a restart.
func outsideTLS(cfg TLSConfig) (*tls.Config, error) {
	held, err := newCertificate(cfg.Cert, cfg.Key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return held.current(), nil },
		CipherSuites: []uint16{ // of TLS 1.2: forward secrecy and AEAD only (NCSC TLS guidelines, "good")
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		},
	}
	if cfg.ClientCAs == "" {
		return config, nil
	}
	text, err := os.ReadFile(cfg.ClientCAs)
	if err != nil {
		return nil, err
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", cfg.ClientCAs)
	}
	return config, nil
}

// certificate is a pair of files and what was last read from them.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	pair    *tls.Certificate
	changed time.Time // of the files, when they were read
	looked  time.Time
}

const lookEvery = 5 * time.Second

func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, looked: time.Now(), changed: modified(certFile, keyFile)}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	c.pair = &pair
	return c, err
}

// current reads anew what has changed. Files that do not fit together yet change nothing.
func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if at := modified(c.certFile, c.keyFile); !at.Equal(c.changed) {
			if pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
				c.pair, c.changed = &pair, at
			}
		}
	}
	return c.pair
}

// modified is the later change of the two files, zero while one is away.
func modified(files ...string) time.Time {
	var latest time.Time
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return time.Time{}
		}
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest
}
