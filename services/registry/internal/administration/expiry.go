package administration

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// ahead are the days before an end at which it is announced, the longest first.
var ahead = []int{90, 45, 30, 7, 1}

// Endings gives what organisations are to be told of what comes to an end: contracts, keys of clients and certificates that
// sign. The id of an event follows from what it says, so that it is told once however often this is asked, by however many
// registries.
func Endings(s *directory.State, now time.Time) []notify.Event {
	var out []notify.Event
	add := func(t notify.Type, to string, kind notify.SubjectKind, subject, of string, begins, ends time.Time, facts notify.Facts) {
		days, at, due := announced(begins, ends, now)
		if !due {
			return
		}
		if t == notify.ContractExpires && days == 0 {
			t = notify.ContractExpired
		} else if days == 0 {
			return
		}
		told := notify.Facts{notify.EndDate: ends.UTC().Format(time.DateOnly)}
		if t != notify.ContractExpired {
			told[notify.Days] = strconv.Itoa(daysLeft(ends, now))
		}
		for name, value := range facts {
			told[name] = value
		}
		out = append(out, notify.Event{
			ID: idOf(at, string(t), to, subject, of, strconv.Itoa(days)), Type: t, Organisation: oin.OIN(to), Subject: notify.Subject{Kind: kind, ID: subject}, Facts: told, At: now,
		})
	}
	for _, c := range directory.All[*directory.Contract](s) {
		if c.Verified() == nil || c.State(now) != contract.Valid && c.State(now) != contract.Expired {
			continue
		}
		content, parties := c.Verified().Contract.Content, c.Parties()
		for _, party := range parties {
			other := slices.IndexFunc(parties, func(p string) bool { return p != party })
			add(notify.ContractExpires, party, notify.Contract, c.Hash, "", content.NotBefore, content.NotAfter,
				notify.Facts{notify.Counterparty: parties[max(other, 0)]})
		}
	}
	for _, c := range directory.All[*directory.Client](s) {
		for _, k := range c.LiveKeys() {
			if k.Till != nil {
				var from time.Time
				if k.From != nil {
					from = *k.From
				}
				add(notify.KeyExpires, c.Organisation, notify.Client, c.ID, k.ID, from, *k.Till, nil)
			}
		}
	}
	for _, o := range directory.All[*directory.Organisation](s) {
		if leaf := o.Newest(); leaf != nil {
			add(notify.CertificateExpires, o.OIN, notify.Organisation, o.OIN, contract.Thumbprint(leaf), leaf.NotBefore, leaf.NotAfter, nil)
		}
	}
	return out
}

// announced tells which announcement of an end is due: the last one whose moment has come, if what ends was there by then.
// 0 days is the end itself, told for a week.
func announced(begins, ends, now time.Time) (days int, at time.Time, due bool) {
	if !now.Before(ends) {
		return 0, ends, now.Sub(ends) < 7*24*time.Hour
	}
	for _, n := range ahead {
		if moment := ends.AddDate(0, 0, -n); !moment.After(now) && !moment.Before(begins) {
			days, at, due = n, moment, true
		}
	}
	return days, at, due
}

func daysLeft(ends, now time.Time) int {
	return int((ends.Sub(now) + 24*time.Hour - 1) / (24 * time.Hour))
}

// idOf makes a UUIDv7 of a moment and what is said: the same for the same.
func idOf(at time.Time, parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	sum[0], sum[2] = sum[0]&0x0f|0x70, sum[2]&0x3f|0x80
	ms := uint64(at.UnixMilli())
	return fmt.Sprintf("%08x-%04x-%02x%02x-%02x%02x-%x", uint32(ms>>16), uint16(ms), sum[0], sum[1], sum[2], sum[3], sum[4:10])
}
