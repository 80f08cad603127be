//go:build !linux

package load

import (
	"errors"
	"syscall"
	"time"
)

func dieWithParent() *syscall.SysProcAttr { return nil }

func keepThread() (release func()) { return func() {} }

func processorTimes([]Watched) (own time.Duration, trees []time.Duration, err error) {
	return 0, nil, errors.New("the system does not say")
}
