package load

import (
	"os"
	"testing"
	"time"
)

func TestReadStat(t *testing.T) {
	for _, tt := range []struct {
		stat        string
		pid, parent int
		used        time.Duration
	}{
		{"7 (sh) S 3 7 7 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 5", 7, 3, time.Second},
		{"8 (a (b) c) R 7 7 7 0 -1 4194304 1 2 3 4 1 0 0 0 20 0 1 0 5", 8, 7, 10 * time.Millisecond},
		{"9 (short) S 1", 9, 0, 0},
	} {
		if pid, parent, used := readStat([]byte(tt.stat)); pid != tt.pid || parent != tt.parent || used != tt.used {
			t.Errorf("%s: %d, %d, %s", tt.stat, pid, parent, used)
		}
	}
}

func TestProcessorTimes(t *testing.T) {
	own, trees, err := processorTimes([]Watched{{"this", os.Getpid()}, {"its parent", os.Getppid()}})
	if err != nil || own <= 0 || trees[1] < trees[0] {
		t.Errorf("%s, %s: %v", own, trees, err)
	}
	if _, _, err := processorTimes([]Watched{{"nobody", 1 << 30}}); err == nil {
		t.Error("a process that is not there has a time")
	}
}
