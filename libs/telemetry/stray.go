package telemetry

import (
	"bytes"
	"context"
	"log/slog"
)

// Stray takes what libraries write to the standard logger. net/http quotes bodies there ("Unsolicited response received …
// starting with"), and a body may hold anybody's data: only what it begins with is told.
type Stray struct{ Logger *slog.Logger }

// strayMost bounds what is told of a line, in bytes.
const strayMost = 60

// Write implements io.Writer, for log.SetOutput.
func (s Stray) Write(line []byte) (int, error) {
	told := bytes.TrimSpace(line)
	for _, quotes := range []string{"starting with", "\"", "'", "{", "<"} {
		if i := bytes.Index(told, []byte(quotes)); i >= 0 {
			told = told[:i]
		}
	}
	s.Logger.WarnContext(context.Background(), "a library had something to tell", "begins", string(told[:min(len(told), strayMost)]))
	return len(line), nil
}
