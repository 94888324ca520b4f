package web

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// statusPage is the data of the status page, in HTML and in JSON.
type statusPage struct {
	Status     string            `json:"status"` // the worst of the parts
	At         time.Time         `json:"tijdstip"`
	Components []statusComponent `json:"onderdelen"`
}

type statusComponent struct {
	Name   string `json:"naam"`
	Status string `json:"status"`
}

const (
	statusUp      = "ok"
	statusUnknown = "onbekend"
	statusDown    = "verstoord"
)

// Parts are those that the page always names, in the order in which a call meets them.
func Parts() []string {
	return []string{"gateway", "authserver", "registry", "address", "cases", "journal", "portal"}
}

const (
	// boardAge is how long a measurement serves: the page is public, and looking at it must not load the parts.
	boardAge = 5 * time.Second
	// boardWait bounds one measurement.
	boardWait = 2 * time.Second
)

// board holds the last measurement of all parts.
type board struct {
	mu   sync.Mutex
	last statusPage
}

// read gives the state of all parts, measured anew when the last time is too long ago. One reader measures, the others
// wait for it.
func (b *board) read(ctx context.Context, now time.Time, measure func(context.Context) map[string]bool) statusPage {
	b.mu.Lock()
	defer b.mu.Unlock()
	if age := now.Sub(b.last.At); age >= 0 && age < boardAge {
		return b.last
	}
	var ready map[string]bool
	if measure != nil {
		// The measurement is for all readers: that this one leaves must not make the parts look down.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), boardWait)
		defer cancel()
		ready = measure(ctx)
	}
	b.last = judge(ready, now)
	return b.last
}

// judge makes a page of what is known: a part that is not in ready is unknown, but for the portal, which answers now.
func judge(ready map[string]bool, at time.Time) statusPage {
	page := statusPage{Status: statusUp, At: at.UTC().Truncate(time.Second)}
	names := Parts()
	for _, name := range slices.Sorted(maps.Keys(ready)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		one := statusComponent{Name: name, Status: statusUp}
		if up, known := ready[name]; known && !up {
			one.Status, page.Status = statusDown, statusDown
		} else if !known && name != "portal" {
			one.Status = statusUnknown
			if page.Status == statusUp {
				page.Status = statusUnknown
			}
		}
		page.Components = append(page.Components, one)
	}
	return page
}
