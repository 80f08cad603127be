// Package random draws the numbers, nonces and tokens that the sandbox makes
// up.
package random

import (
	"crypto/rand"
	"fmt"
	"io"
	"sync"
)

// The alphabets.
const (
	Alnum  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	Lower  = "0123456789abcdefghijklmnopqrstuvwxyz"
	Hex    = "0123456789abcdef"
	Digits = "0123456789"
)

// Source draws strings from a reader that need not be safe for concurrent
// use, so that a seeded one gives the same strings again. A Source is safe for
// concurrent use.
type Source struct {
	mu sync.Mutex
	r  io.Reader
}

// New makes a source; nil is crypto/rand.
func New(r io.Reader) *Source {
	if r == nil {
		r = rand.Reader
	}
	return &Source{r: r}
}

// Text draws n characters of the alphabet, each equally likely. It panics when
// the reader fails: that is a broken set-up, which no caller could handle.
func (s *Source) Text(n int, alphabet string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Bytes at or above the largest multiple of the alphabet's size are
	// dropped; otherwise its first letters would come up more often.
	limit := 256 - 256%len(alphabet)
	out, buf := make([]byte, 0, n), make([]byte, n+n/4+1)
	for len(out) < n {
		if _, err := io.ReadFull(s.r, buf); err != nil {
			panic(fmt.Sprintf("sandbox: Options.Rand: %v", err))
		}
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// UUID draws an id of 36 characters in the shape of a version 4 UUID.
func (s *Source) UUID() string {
	h := s.Text(30, Hex)
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-a" + h[15:18] + "-" + h[18:30]
}
