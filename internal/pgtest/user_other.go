//go:build !unix

package pgtest

import (
	"errors"
	"syscall"
)

func asOrdinaryUser(string) (*syscall.SysProcAttr, error) {
	return nil, errors.New("a throw-away PostgreSQL is started on Unix systems only; name a running one instead")
}
