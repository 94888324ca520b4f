package api

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// readFile reads what writeFile wrote: the signature, a line end, the body.
func readFile(path string) (Sealed, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Sealed{}, err
	}
	signature, body, ok := bytes.Cut(raw, []byte("\n"))
	if !ok {
		return Sealed{}, errors.New("not a stored snapshot")
	}
	return Sealed{Body: body, Signature: string(signature)}, nil
}

// writeFile replaces the file at once: whoever reads it, after a power cut too, finds the old snapshot or the new one.
func writeFile(path string, s Sealed) (err error) {
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
	_, err = fmt.Fprintf(temp, "%s\n%s", s.Signature, s.Body)
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
