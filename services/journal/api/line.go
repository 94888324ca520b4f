package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
)

// Genesis is Previous of the first record of a log.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// Limits of one batch. Ship keeps them; who sends lines itself must too.
const (
	MaxLine       = 64 << 10 // bytes of one record, without its line end
	MaxBatchLines = 1000
	MaxBatchBytes = 4 << 20
)

// Encode gives the line of a record as it stands in the log, without line end. The hash of a record is the hash of
// exactly these bytes, so a line that was written once is shipped as it is, never decoded and encoded again by another
// release.
func Encode(r Record) ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record %s/%d: %w", r.ID.Gateway, r.ID.Sequence, err)
	}
	return line, nil
}

// Hash is what the next record of the same log names as Previous: SHA-256 of the line in hex.
func Hash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// Decode reads a line. Members it does not know are left aside: a newer gateway may write them, and the line is kept
// whole.
func Decode(line []byte) (Record, error) {
	if len(line) > MaxLine {
		return Record{}, fmt.Errorf("record is longer than %d bytes", MaxLine)
	}
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, errors.New("record is not a JSON object of the log's shape")
	}
	return r, r.check()
}

var (
	gatewayID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	hexHash   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	traceID   = regexp.MustCompile(`^[0-9a-f]{32}$`)
	spanID    = regexp.MustCompile(`^[0-9a-f]{16}$`)
	// transactionID leaves room for other forms than the UUIDv7 of our gateways.
	transactionID = regexp.MustCompile(`^[!-~]{1,64}$`)
)

// earliest and latest bound the time of a record: what a clock of a gateway cannot say is a broken line.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (r Record) check() error {
	var faults []string
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, text)
		}
	}
	fault(!gatewayID.MatchString(r.ID.Gateway), "recordId.gateway")
	fault(r.ID.Sequence == 0 || r.ID.Sequence > math.MaxInt64, "recordId.sequence")
	fault(!hexHash.MatchString(r.Previous), "previous")
	fault(r.At.Before(earliest) || r.At.After(latest), "at")
	fault(!transactionID.MatchString(r.TransactionID), "transaction_id")
	fault(!traceID.MatchString(r.TraceID), "trace_id")
	fault(!spanID.MatchString(r.SpanID), "span_id")
	switch r.Kind {
	case KindDecision:
		fault(r.Decision == nil || r.Outcome != nil, "decision")
	case KindOutcome:
		fault(r.Outcome == nil || r.Decision != nil, "outcome")
	default:
		fault(true, "kind")
	}
	if faults != nil {
		return errors.New("wrong or missing in the record: " + strings.Join(faults, ", "))
	}
	return nil
}
