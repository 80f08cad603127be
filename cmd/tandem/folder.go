package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// Files in the folder of a SQLite database beside it. A SQLite file has one
// server: a second one would have a clock, a sandbox and queues of its own.
const (
	lockFile    = "server.lock" // locked while a server runs; never removed
	serverFile  = "server.url"  // where the server is
	sandboxFile = "sandbox.url" // where its sandbox is, if it has one
)

// folder is the lock of a server on its folder.
type folder struct {
	path string
	lock *flock.Flock
}

func serverLock(data string) *flock.Flock {
	return flock.New(filepath.Join(data, lockFile), flock.SetPermissions(0o600))
}

// lockFolder takes the folder for a server, or fails and names the server that
// has it.
func lockFolder(data string) (*folder, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	f := &folder{data, serverLock(data)}
	ok, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", data, err)
	}
	if !ok {
		who := "another server"
		if url := readAddress(data, serverFile); url != "" {
			who = "the server at " + url
		}
		return nil, fmt.Errorf("%s uses %s: a SQLite database has one server; stop that one, or give this one another --data", who, data)
	}
	return f, nil
}

// publish writes an address for whoever opens the folder while it is locked.
func (f *folder) publish(file, url string) error {
	return os.WriteFile(filepath.Join(f.path, file), []byte(url+"\n"), 0o600)
}

// release gives the folder back.
func (f *folder) release() error {
	var errs []error
	for _, name := range []string{serverFile, sandboxFile} {
		if err := os.Remove(filepath.Join(f.path, name)); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, f.lock.Unlock())...)
}

// sandboxOf is the address of the sandbox of the server that has the folder,
// "" if none runs.
func sandboxOf(data string) (string, error) {
	if _, err := os.Stat(filepath.Join(data, lockFile)); err != nil {
		return "", nil //nolint:nilerr // no server was ever here
	}
	lock := serverLock(data)
	free, err := lock.TryLock()
	if err != nil {
		return "", err
	}
	if free { // the addresses were left by a server that was killed
		return "", lock.Unlock()
	}
	return readAddress(data, sandboxFile), nil
}

func readAddress(data, file string) string {
	text, _ := os.ReadFile(filepath.Join(data, file)) // a server that is starting has none
	return strings.TrimSpace(string(text))
}
