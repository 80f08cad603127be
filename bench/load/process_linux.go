package load

import (
	"runtime"
	"syscall"
)

func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

func keepThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
