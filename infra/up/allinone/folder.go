package allinone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"noorderhub.nl/hub/infra/demo"
)

// marker says that a folder is a data folder of ours, so that it may be emptied.
const marker = ".noorderhub-data"

// openFolder makes the data folder, takes its lock, and empties it unless it is kept and complete: a start that broke off
// leaves half a set of keys. A folder that is not ours is never emptied. The lock ends with the process.
func openFolder(dir string, keep bool) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, marker)
	if _, err := os.Stat(path); err != nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty and not a data folder of the hub: choose another with --data", dir)
	}
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another hub runs on %s", dir), lock.Close())
	}
	if _, err := os.Stat(filepath.Join(dir, demo.FileName)); keep && err == nil {
		return lock, nil
	}
	for _, entry := range entries {
		if entry.Name() == marker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return lock, nil
}
