package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/tandem-pay/tandem/seal"
)

func box(t *testing.T, key byte) *seal.Box {
	t.Helper()
	b, err := seal.New(bytes.Repeat([]byte{key}, seal.KeySize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpen(t *testing.T) {
	sealed, err := box(t, 1).Seal([]byte("secret"), "here")
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("%q, %v", sealed, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for _, tt := range []struct {
		name   string
		key    byte
		sealed []byte
		place  string
		opens  bool
	}{
		{"as it was", 1, sealed, "here", true},
		{"another key", 2, sealed, "here", false},
		{"another place", 1, sealed, "there", false},
		{"changed", 1, flipped, "here", false},
		{"cut short", 1, sealed[:5], "here", false},
		{"nothing", 1, nil, "here", false},
	} {
		plain, err := box(t, tt.key).Open(tt.sealed, tt.place)
		if tt.opens && (err != nil || string(plain) != "secret") || !tt.opens && !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("%s: %q, %v", tt.name, plain, err)
		}
	}
	again, err := box(t, 1).Seal([]byte("secret"), "here")
	if err != nil || bytes.Equal(again, sealed) {
		t.Error("the same secret sealed twice looks the same")
	}
}

func TestParseKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb}, seal.KeySize)
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{base64.StdEncoding.EncodeToString(key), true},
		{base64.RawStdEncoding.EncodeToString(key), true},
		{base64.URLEncoding.EncodeToString(key), true},
		{" " + base64.StdEncoding.EncodeToString(key) + "\n", true},
		{base64.StdEncoding.EncodeToString(key[:31]), false},
		{"not base64!", false},
		{"", false},
	} {
		got, err := seal.ParseKey(tt.text)
		if (err == nil) != tt.ok || tt.ok && !bytes.Equal(got, key) {
			t.Errorf("%q: %x, %v", tt.text, got, err)
		}
	}
}
