// Package load puts load on what is measured: wrk for plain calls, and a client of its own for token requests, each of
// which needs a signed assertion that was never used before. Both keep their connections and send the next request when
// the answer to the last is there (a closed loop), so times of answers are those under full load.
package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
)

// Wrk calls one URL with the program wrk.
type Wrk struct {
	Program     string
	URL         string
	Bearer      string // access token; empty: none
	Connections int
}

// Run loads for d. An answer outside 2xx and 3xx and a broken connection are errors.
func (w Wrk) Run(ctx context.Context, d time.Duration) (measure.Load, error) {
	// wrk counts in whole seconds.
	seconds := max(1, int(d.Round(time.Second)/time.Second))
	args := []string{"--threads", "1", "--connections", strconv.Itoa(w.Connections), "--duration", strconv.Itoa(seconds) + "s", "--latency"}
	if w.Bearer != "" {
		args = append(args, "--header", "Authorization: Bearer "+w.Bearer)
	}
	out, err := exec.CommandContext(ctx, w.Program, append(args, w.URL)...).CombinedOutput()
	if err != nil {
		return measure.Load{}, fmt.Errorf("wrk: %w: %s", err, bytes.TrimSpace(out))
	}
	return parseWrk(out)
}

var (
	wrkTotal   = regexp.MustCompile(`^(\d+) requests in ([\d.]+[a-z]+)`)
	wrkPercent = regexp.MustCompile(`^(50|99)%\s+([\d.]+[a-z]+)$`)
)

// parseWrk reads what wrk 4 prints.
func parseWrk(out []byte) (measure.Load, error) {
	var l measure.Load
	var err error
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(text, "Socket errors:") || strings.HasPrefix(text, "Non-2xx") {
			return l, errors.New(text)
		}
		if m := wrkTotal.FindStringSubmatch(text); m != nil {
			if l.Operations, err = strconv.ParseInt(m[1], 10, 64); err == nil {
				l.Took, err = time.ParseDuration(m[2])
			}
		} else if m := wrkPercent.FindStringSubmatch(text); m != nil {
			into := &l.P50
			if m[1] == "99" {
				into = &l.P99
			}
			*into, err = time.ParseDuration(m[2])
		}
		if err != nil {
			return l, fmt.Errorf("line %q of wrk: %w", text, err)
		}
	}
	if l.Took == 0 || l.P50 == 0 || l.P99 == 0 {
		return l, errors.New("wrk printed no figures")
	}
	return l, nil
}
