package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs on (proc(5)).
const tick = time.Second / 100

// CPU gives the processor time, user and system, that a process and everything it started have used so far. Children
// that have ended count from when their parent has waited for them.
func CPU(pid int) (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	if _, ok := all[pid]; !ok {
		return 0, fmt.Errorf("process %d is gone", pid)
	}
	var sum time.Duration
	for id, p := range all {
		if descends(all, id, pid) {
			sum += p.own
		}
	}
	return sum + all[pid].waited, nil
}

// process is one line of /proc/PID/stat.
type process struct {
	parent int
	own    time.Duration // of its threads, ended ones too
	waited time.Duration // of children it has waited for
}

func processes() (map[int]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := make(map[int]process, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		pid, p, err := parseStat(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[pid] = p
	}
	return all, nil
}

// parseStat reads what is needed of a line. The name of the program stands in parentheses and may hold any character, so
// the fields are counted from the last one.
func parseStat(text []byte) (int, process, error) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 1 || end < begin {
		return 0, process{}, errors.New("not a line of proc(5)")
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:begin])))
	fields := bytes.Fields(text[end+1:])
	const parent, user, waitedSystem = 1, 11, 14 // proc(5) counts from 1 and from the pid: ppid 4, utime 14, cstime 17
	if err != nil || len(fields) <= waitedSystem {
		return 0, process{}, errors.New("not a line of proc(5)")
	}
	var p process
	if p.parent, err = strconv.Atoi(string(fields[parent])); err != nil {
		return 0, process{}, err
	}
	var ticks [4]time.Duration
	for i := range ticks {
		n, err := strconv.ParseInt(string(fields[user+i]), 10, 64)
		if err != nil {
			return 0, process{}, err
		}
		ticks[i] = time.Duration(n) * tick
	}
	p.own, p.waited = ticks[0]+ticks[1], ticks[2]+ticks[3]
	return pid, p, nil
}

// descends tells whether id is root or was started by it, over any number of steps.
func descends(all map[int]process, id, root int) bool {
	for steps := 0; id > 1 && steps < 100; steps++ {
		if id == root {
			return true
		}
		id = all[id].parent
	}
	return false
}

// Pauses of Quiet.
const (
	quietWindow  = 150 * time.Millisecond
	quietLongest = 60 * time.Second
)

// Quiet waits until the processes rest, so that work they put off, such as shipping records, counts where it belongs and
// disturbs nobody else.
func Quiet(ctx context.Context, pids ...int) error {
	ctx, cancel := context.WithTimeout(ctx, quietLongest)
	defer cancel()
	before, err := total(pids)
	for err == nil {
		select {
		case <-ctx.Done():
			return errors.New("the processes do not come to rest")
		case <-time.After(quietWindow):
		}
		var now time.Duration
		if now, err = total(pids); err == nil && now-before <= tick {
			return nil
		}
		before = now
	}
	return err
}

func total(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		used, err := CPU(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}
