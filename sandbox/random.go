package sandbox

import (
	"fmt"
	"io"
	"sync"
)

// The alphabets of the strings that the gateway invents.
const (
	alnum  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	lower  = "0123456789abcdefghijklmnopqrstuvwxyz"
	hexa   = "0123456789abcdef"
	digits = "0123456789"
)

// random draws strings from a reader that need not be safe for concurrent
// use, so that a seeded one gives the same strings again.
type random struct {
	mu sync.Mutex
	r  io.Reader
}

// text draws n characters of the alphabet, each equally likely. A reader that
// fails is a broken set-up, not a condition to handle: it panics.
func (r *random) text(n int, alphabet string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Bytes at or above the largest multiple of the alphabet's size are
	// thrown away; otherwise its first letters would come up more often.
	limit := 256 - 256%len(alphabet)
	out, buf := make([]byte, 0, n), make([]byte, n+n/4+1)
	for len(out) < n {
		if _, err := io.ReadFull(r.r, buf); err != nil {
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

// uuid draws an id of 36 characters in the shape of a version 4 UUID.
func (r *random) uuid() string {
	h := r.text(30, hexa)
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-a" + h[15:18] + "-" + h[18:30]
}
