package measure

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is everything one run brought: the document of --json and the table for people.
type Report struct {
	Bench       string            `json:"bench"`
	At          time.Time         `json:"at"`
	Machine     Machine           `json:"machine"`
	Versions    map[string]string `json:"versions"` // of peers and tools
	Rounds      int               `json:"rounds"`
	Seconds     float64           `json:"secondsPerRound"`
	Connections int               `json:"connections"`
	Operation   string            `json:"operation"` // what one operation is
	Notes       []string          `json:"notes"`
	Results     []Result          `json:"results"`
	Ratios      []Ratio           `json:"ratios"`
}

// Machine is where the figures were taken.
type Machine struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// ThisMachine describes the machine; what cannot be found out stays empty.
func ThisMachine() Machine {
	m := Machine{CPUs: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
			m.Processor = strings.TrimLeft(name, "\t :")
			break
		}
	}
	return m
}

// Write prints the tables.
func (r *Report) Write(w io.Writer) error {
	text := &strings.Builder{}
	fmt.Fprintf(text, "%s: %d rounds of %gs in turn, %d connections; %s\n", r.Bench, r.Rounds, r.Seconds, r.Connections, r.Operation)
	fmt.Fprintf(text, "%d × %s, Linux %s, %s\n", r.Machine.CPUs, r.Machine.Processor, r.Machine.Kernel, r.Machine.Go)
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(text, "%s %s; ", name, r.Versions[name])
	}
	text.WriteString("\n\n")
	r.writeResults(text)
	text.WriteByte('\n')
	r.writeDoes(text)
	text.WriteByte('\n')
	r.writeRatios(text)
	for _, note := range r.Notes {
		text.WriteString("\n* " + note)
	}
	text.WriteByte('\n')
	_, err := io.WriteString(w, text.String())
	return err
}

func (r *Report) writeResults(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "line\tCPU µs (min–max)\t/s (min–max)\tp50 ms\tp99 ms\tbeside, CPU µs")
	for _, o := range r.Results {
		var beside []string
		for _, name := range slices.Sorted(maps.Keys(o.Beside)) {
			beside = append(beside, fmt.Sprintf("%s %.1f", name, o.Beside[name].Median))
		}
		fmt.Fprintf(t, "%s\t%.1f (%.1f–%.1f)\t%.0f (%.0f–%.0f)\t%.2f\t%.2f\t%s\n", o.Name, o.CPU.Median, o.CPU.Min, o.CPU.Max,
			o.PerSecond.Median, o.PerSecond.Min, o.PerSecond.Max, o.P50.Median/1000, o.P99.Median/1000, strings.Join(beside, ", "))
	}
	_ = t.Flush() // into memory
}

func (r *Report) writeDoes(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "line\tclient side\tupstream side\tchecks per request\tkeeps per request")
	for _, o := range r.Results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", o.Name, o.Does.Client, o.Does.Upstream, o.Does.Checks, o.Does.Keeps)
	}
	_ = t.Flush()
}

func (r *Report) writeRatios(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CPU ratio, round by round\tmedian (min–max)\t")
	for _, o := range r.Ratios {
		fmt.Fprintf(t, "%s / %s\t%.2f (%.2f–%.2f)\t%s\n", o.Product, o.Peer, o.CPU.Median, o.CPU.Min, o.CPU.Max, o.Note)
	}
	_ = t.Flush()
}
