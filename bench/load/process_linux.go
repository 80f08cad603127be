package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

func keepThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// tick is the unit of /proc/<pid>/stat, on every architecture that Go knows.
const tick = 10 * time.Millisecond

// processorTimes is what this process alone has used, and what each of the
// watched has used with all its descendants, those that have ended included.
func processorTimes(watched []Watched) (own time.Duration, trees []time.Duration, err error) {
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return 0, nil, err
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, nil, err
	}
	parent, used := map[int]int{}, map[int]time.Duration{}
	for _, file := range files {
		if stat, err := os.ReadFile(file); err == nil { // else it has just ended
			pid, up, time := readStat(stat)
			parent[pid], used[pid] = up, time
		}
	}
	trees = make([]time.Duration, len(watched))
	for i, w := range watched {
		if _, there := used[w.PID]; !there {
			return 0, nil, fmt.Errorf("process %d (%s) has ended", w.PID, w.Name)
		}
		for pid := range used {
			for up := pid; up > 0; up = parent[up] {
				if up == w.PID {
					trees[i] += used[pid]
					break
				}
			}
		}
	}
	return time.Duration(self.Utime.Nano() + self.Stime.Nano()), trees, nil
}

// readStat finds a process's number, its parent, and what it and those of its
// children that it has waited for have used.
func readStat(stat []byte) (pid, parent int, used time.Duration) {
	number, _, _ := bytes.Cut(stat, []byte(" "))
	pid, _ = strconv.Atoi(string(number)) // from the system, always a number
	// The name is in parentheses, and may have some in it.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 15 {
		return pid, 0, 0
	}
	parent, _ = strconv.Atoi(string(f[1]))
	for _, ticks := range f[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.Atoi(string(ticks))
		used += time.Duration(n) * tick
	}
	return pid, parent, used
}
