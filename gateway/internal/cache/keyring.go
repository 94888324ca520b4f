package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"sync"
)

// name identifies an answer. It is keyed: who sees names in Redis can not try out which queries they stand for.
type name [sha256.Size]byte

// key is the name in Redis.
func (n name) key() string { return "hub:answer:" + base64.RawURLEncoding.EncodeToString(n[:]) }

// keyring makes names and seals answers with keys derived from one secret.
type keyring struct {
	names, seals []byte
	macs         sync.Pool // of HMAC with names
}

// newKeyring takes the secret that all gateways have, or makes one of this process where there is none.
func newKeyring(secret string) (*keyring, error) {
	material := []byte(secret)
	if secret == "" {
		material = make([]byte, 32)
		_, _ = rand.Read(material) // never fails
	}
	k := &keyring{}
	var err error
	if k.names, err = hkdf.Key(sha256.New, material, nil, "noorderhub answers: names", 32); err != nil {
		return nil, err
	}
	if k.seals, err = hkdf.Key(sha256.New, material, nil, "noorderhub answers: contents", 32); err != nil {
		return nil, err
	}
	k.macs.New = func() any { return hmac.New(sha256.New, k.names) }
	return k, nil
}

// name makes the name of a list of texts. Each is preceded by its length, so no two lists read the same.
func (k *keyring) name(parts ...string) name {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		mac.Write(length[:])
		mac.Write([]byte(p))
	}
	var n name
	mac.Sum(n[:0])
	return n
}

// seal encrypts under a key of this name's own, so an answer put under another name does not open, and random nonces never
// run out.
func (k *keyring) seal(n name, plain []byte) ([]byte, error) {
	aead, err := k.aead(n)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func (k *keyring) open(n name, sealed []byte) ([]byte, error) {
	aead, err := k.aead(n)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errors.New("a kept answer does not open: the gateways have different keys, or somebody changed it")
	}
	return plain, nil
}

func (k *keyring) aead(n name) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, k.seals)
	mac.Write(n[:])
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
