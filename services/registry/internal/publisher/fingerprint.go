package publisher

import (
	"os"
	"strings"
	"time"
)

// fingerprint remembers what the files of a region looked like when they were read.
type fingerprint map[string]stamp

type stamp struct {
	modified time.Time
	size     int64
	missing  bool
}

func (f fingerprint) add(path string) { f[path] = look(path) }

func (f fingerprint) changed() bool {
	for path, was := range f {
		if look(path) != was {
			return true
		}
	}
	return false
}

func look(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{missing: true}
	}
	return stamp{modified: info.ModTime(), size: info.Size()}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
