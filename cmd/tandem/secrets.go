package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/seal"
)

// keyFlags say where the master key is.
type keyFlags struct {
	MasterKey     string `help:"Master key: 32 bytes in base64. Seals channel secrets; the same on all instances." placeholder:"BASE64"`
	MasterKeyFile string `help:"File with the master key; made under --data when absent." type:"path" placeholder:"FILE"`
}

// box makes the sealer from the master key, and refuses a key that is not
// the one that this database was set up with. mayMake says that it may make one
// under data, which it does only for a database that has none yet.
func (f *keyFlags) box(ctx context.Context, db app.Admin, data string, mayMake bool) (*seal.Box, error) {
	has, err := db.Secret(ctx, masterKeyCheck, nil)
	if err != nil {
		return nil, err
	}
	key, where, err := f.master(data, mayMake && has == nil)
	if err != nil {
		return nil, err
	}
	box, err := seal.New(key, rand.Reader)
	if err != nil {
		return nil, err
	}
	check, err := box.Derive("check")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(check)
	known, err := db.Secret(ctx, masterKeyCheck, sum[:])
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(known, sum[:]) != 1 {
		return nil, fmt.Errorf(
			"the master key (%s) is not the one that this database was set up with; give that one with --master-key-file or TANDEM_MASTER_KEY",
			where,
		)
	}
	return box, nil
}

// masterKeyCheck is the name of what tells whether a master key is the right one.
const masterKeyCheck = "master-key-check"

func (f *keyFlags) master(data string, mayMake bool) (key []byte, where string, err error) {
	if f.MasterKey != "" {
		key, err = seal.ParseKey(f.MasterKey)
		return key, "--master-key", err
	}
	path := f.MasterKeyFile
	if path == "" {
		path = filepath.Join(data, "master.key")
		if mayMake {
			made := make([]byte, seal.KeySize)
			rand.Read(made)
			if _, err := keepFile(path, base64.StdEncoding.EncodeToString(made)); err != nil {
				return nil, path, err
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, path, fmt.Errorf("the master key: %w; give it with --master-key-file or TANDEM_MASTER_KEY", err)
	}
	if key, err = seal.ParseKey(string(text)); err != nil {
		return nil, path, fmt.Errorf("%s: %w", path, err)
	}
	return key, path, nil
}

// keepFile returns the content of a small secret file, making it with the
// proposed content if it is not there. Of several processes that do so at once,
// all get the same content.
func keepFile(path, proposed string) (string, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return strings.TrimSpace(string(text)), err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(proposed + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", err
	}
	// A link, unlike a rename, fails when another process was first.
	switch err := os.Link(temp.Name(), path); {
	case err == nil:
		return proposed, nil
	case errors.Is(err, fs.ErrExist):
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	default: // a file system without links
		return proposed, os.Rename(temp.Name(), path)
	}
}
