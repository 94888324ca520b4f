package telemetry_test

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/telemetry"
)

func TestStrayLinesTellNoPayload(t *testing.T) {
	var out bytes.Buffer
	l := log.New(telemetry.Stray{Logger: slog.New(slog.NewJSONHandler(&out, nil))}, "", 0)
	l.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", `{"bsn":"999990019"}`, nil)
	l.Printf("http: TLS handshake error from 10.0.0.1:1234: EOF")
	if got := out.String(); strings.Contains(got, "999990019") || !strings.Contains(got, "Unsolicited response") || !strings.Contains(got, "TLS handshake error") {
		t.Errorf("got %s", got)
	}
}
