package chain

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"noorderhub.nl/hub/gateway/internal/limit"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Names of the fields that tell a client where it stands, canonical. The wire form is that of
// draft-ietf-httpapi-ratelimit-headers-10, §3 and §4: structured fields, one member per limit.
const (
	headerPolicy = "Ratelimit-Policy"
	headerLimit  = "Ratelimit"
)

// limit lets so many calls through as the contract allows. Every answer under a limited contract says how many are left.
func (c *Chain) limit(ctx context.Context, call *Call, _ *http.Request) error {
	if call.Grant == nil {
		return nil
	}
	of := limitsOf(call.Grant)
	if of == (limit.Limits{}) {
		return nil
	}
	v := c.cfg.Limits.Take(ctx, call.Grant.Hash, of)
	call.policy, call.standing = policyField(of), standingField(of, v)
	rule := "contract " + call.Grant.ContractHash
	switch v.Reason {
	case limit.Rate:
		return codeRate.New("the contract allows %d calls per second", of.Rate).WithRule(rule).WithRetryAfter(max(v.Wait, time.Millisecond))
	case limit.Quota:
		return codeQuota.New("the contract allows %d calls per day, and they were made", of.Quota).WithRule(rule).WithRetryAfter(v.Wait)
	}
	return nil
}

// limitsOf gives the limits of a grant. A narrowing lowers the rate, and sets one where none was agreed; it never raises it.
func limitsOf(g *registry.Grant) limit.Limits {
	of := limit.Limits{Rate: max(g.Terms.Rate, 0), Quota: max(g.Terms.Quota, 0)}
	if n := g.Narrowing; n != nil && n.Rate > 0 && (of.Rate == 0 || n.Rate < of.Rate) {
		of.Rate = n.Rate
	}
	return of
}

// Limits adds the fields on limits to the header of an answer, in the place of a service's own.
func (c *Call) Limits(h http.Header) {
	if c.policy != "" {
		h[headerPolicy], h[headerLimit] = []string{c.policy}, []string{c.standing}
	}
}

func policyField(of limit.Limits) string {
	b := make([]byte, 0, 64)
	if of.Rate > 0 {
		b = append(b, `"rate";q=`...)
		b = strconv.AppendInt(b, int64(of.Rate), 10)
		b = append(b, `;w=1`...)
	}
	if of.Quota > 0 {
		b = separate(b)
		b = append(b, `"quota";q=`...)
		b = strconv.AppendInt(b, int64(of.Quota), 10)
		b = append(b, `;w=86400`...)
	}
	return string(b)
}

func standingField(of limit.Limits, v limit.Verdict) string {
	b := make([]byte, 0, 64)
	if of.Rate > 0 {
		b = append(b, `"rate";r=`...)
		b = strconv.AppendInt(b, int64(v.RateLeft), 10)
		b = append(b, `;t=1`...)
	}
	if of.Quota > 0 {
		b = separate(b)
		b = append(b, `"quota";r=`...)
		b = strconv.AppendInt(b, int64(v.QuotaLeft), 10)
		b = append(b, `;t=`...)
		b = strconv.AppendInt(b, int64(math.Ceil(v.Reset.Seconds())), 10)
	}
	return string(b)
}

func separate(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	return append(b, ", "...)
}
