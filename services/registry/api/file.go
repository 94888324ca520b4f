package api

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// readFile reads what writeFile wrote: the signature, the time the registry last confirmed it, the body, each of the
// first two on a line of its own.
func readFile(path string) (s Sealed, confirmed time.Time, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Sealed{}, time.Time{}, err
	}
	signature, rest, _ := bytes.Cut(raw, []byte("\n"))
	at, body, ok := bytes.Cut(rest, []byte("\n"))
	confirmed, err = time.Parse(time.RFC3339Nano, string(at))
	if !ok || err != nil {
		return Sealed{}, time.Time{}, errors.New("not a stored snapshot")
	}
	return Sealed{Body: body, Signature: string(signature)}, confirmed, nil
}

// writeFile replaces the file at once: whoever reads it, after a power cut too, finds the old snapshot or the new one.
func writeFile(path string, s Sealed, confirmed time.Time) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return fmt.Errorf("store snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
			err = fmt.Errorf("store snapshot: %w", err)
		}
	}()
	_, err = fmt.Fprintf(temp, "%s\n%s\n%s", s.Signature, confirmed.UTC().Format(time.RFC3339Nano), s.Body)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
