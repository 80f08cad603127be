//go:build !linux

package load

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }

func keepThread() (release func()) { return func() {} }
