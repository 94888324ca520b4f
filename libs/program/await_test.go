package program_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/libs/program"
	"noorderhub.nl/hub/libs/telemetry"
)

type awayError struct{}

func (awayError) Error() string   { return "the library is closed" }
func (awayError) Missing() string { return "library" }

// starting is a program whose New fails until the given time has passed.
func starting(until time.Duration, fault error) program.Program[sample] {
	p, began := demo(), time.Now()
	p.New = func(context.Context, sample, *slog.Logger, *telemetry.Telemetry) (interface{ Run(context.Context) error }, error) {
		if time.Since(began) < until {
			return nil, fmt.Errorf("proef: %w", fault)
		}
		return service{}, nil
	}
	return p
}

func TestAStartWaitsForWhatIsMissing(t *testing.T) {
	file := configFile(t)
	for name, tc := range map[string]struct {
		until time.Duration
		fault error
		args  []string
		took  time.Duration
		want  string // in the error; "" for none
	}{
		"it comes":                  {9 * time.Second, awayError{}, nil, 10 * time.Second, ""},
		"it does not come":          {time.Hour, awayError{}, nil, time.Minute, "library was missing for 1m0s"},
		"it does not come in time":  {time.Hour, awayError{}, []string{"--start-timeout", "5s"}, 5 * time.Second, "library was missing for 5s"},
		"a fault is not waited for": {time.Hour, errors.New("wrong password"), nil, 0, "wrong password"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				began := time.Now()
				err := starting(tc.until, tc.fault).Run(t.Context(), append([]string{"--config", file}, tc.args...), io.Discard, &log)
				if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
				if took := time.Since(began); took != tc.took {
					t.Errorf("took %s, want %s", took, tc.took)
				}
				if waited := tc.took > 0; waited != strings.Contains(log.String(), `"missing":"library"`) {
					t.Errorf("the log says: %s", log.String())
				}
			})
		})
	}
}

func TestTheStopOfAStartThatWaitsIsInOrder(t *testing.T) {
	file := configFile(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := starting(time.Hour, awayError{}).Run(ctx, []string{"--config", file}, io.Discard, io.Discard); err != nil {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %s after the stop at 3s", took)
		}
	})
}
