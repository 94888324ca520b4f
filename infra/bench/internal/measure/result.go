package measure

import (
	"maps"
	"slices"
)

// Spread is a figure over the rounds. Quote the median; a wide spread says that the machine was noisy.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// NewSpread needs a value or more.
func NewSpread(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{Min: sorted[0], Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Max: sorted[n-1]}
}

// Result is what was measured of a line.
type Result struct {
	Name      string            `json:"name"`
	Does      Does              `json:"does"`
	CPU       Spread            `json:"cpuMicros"` // per operation
	Beside    map[string]Spread `json:"besideMicros,omitempty"`
	PerSecond Spread            `json:"perSecond"`
	P50       Spread            `json:"p50Micros"`
	P99       Spread            `json:"p99Micros"`
	Rounds    []Round           `json:"rounds"`
}

func (r *Result) sum() {
	over := func(of func(Round) float64) Spread {
		var values []float64
		for _, round := range r.Rounds {
			values = append(values, of(round))
		}
		return NewSpread(values)
	}
	r.CPU = over(func(o Round) float64 { return o.CPU })
	r.PerSecond = over(func(o Round) float64 { return o.PerSecond })
	r.P50 = over(func(o Round) float64 { return o.P50 })
	r.P99 = over(func(o Round) float64 { return o.P99 })
	for _, name := range slices.Sorted(maps.Keys(r.Rounds[0].Beside)) {
		if r.Beside == nil {
			r.Beside = map[string]Spread{}
		}
		r.Beside[name] = over(func(o Round) float64 { return o.Beside[name] })
	}
}

// Ratio compares two lines in processor time per operation, round by round: below 1 the product needs less.
type Ratio struct {
	Product string `json:"product"`
	Peer    string `json:"peer"`
	Note    string `json:"note"` // what is alike and what is not
	CPU     Spread `json:"cpu"`
}

// Pair names two lines to compare.
type Pair struct{ Product, Peer, Note string }

// Compare gives the ratios of pairs whose lines were both measured.
func Compare(results []Result, pairs []Pair) []Ratio {
	byName := map[string]Result{}
	for _, r := range results {
		byName[r.Name] = r
	}
	var all []Ratio
	for _, p := range pairs {
		a, okA := byName[p.Product]
		b, okB := byName[p.Peer]
		if !okA || !okB {
			continue
		}
		var values []float64
		for i := range min(len(a.Rounds), len(b.Rounds)) {
			if b.Rounds[i].CPU > 0 {
				values = append(values, a.Rounds[i].CPU/b.Rounds[i].CPU)
			}
		}
		if len(values) > 0 {
			all = append(all, Ratio{Product: p.Product, Peer: p.Peer, Note: p.Note, CPU: NewSpread(values)})
		}
	}
	return all
}
