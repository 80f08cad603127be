package load

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-pay/tandem/sandbox"
)

// MaxCallbacks is the most that Callbacks delivers. They are signed before the
// first is sent, and each is good for five minutes after it was signed.
const MaxCallbacks = 100_000

// Callbacks places and opens N payments, signs the channel's callbacks, and
// then measures how fast they are settled: delivered, verified, applied,
// stored and answered. Its stages are the deliveries, and the same ones
// again, which are recognised, stored and answered. Its Alone is how many the
// processors verify and decrypt when they do nothing else, measured between
// signing and delivery, when the server has nothing to do. The orders have no
// coupons: what comes after a payment is another measurement.
func Callbacks(ctx context.Context, t Target, s *Shop, k *sandbox.Keys, n int64, p Pace, progress Progress) (*Report, error) {
	if n < 1 || n > MaxCallbacks {
		return nil, fmt.Errorf("%d callbacks: want 1 to %d", n, MaxCallbacks)
	}
	p.WarmUp, p.For = 0, 10*time.Minute
	l := newLives(t, &Shop{Name: s.Name, Skus: s.Skus}, k, n)
	for _, j := range []job{l.place(), l.open()} {
		if _, err := j.run(ctx, t, p, progress); err != nil {
			return nil, fmt.Errorf("callbacks: %s: %w", j.stage, err)
		}
	}
	if err := l.sign(ctx, progress); err != nil {
		return nil, err
	}
	r := &Report{Scenario: "callbacks"}
	var err error
	if r.Alone, err = l.verifyAlone(ctx); err != nil {
		return nil, err
	}
	for _, name := range []string{"settle", "repeat"} {
		j := l.deliver(func(int64) {})
		j.stage = name
		stage, err := j.run(ctx, t, p, progress)
		if err != nil {
			return nil, fmt.Errorf("callbacks: %s: %w", name, err)
		}
		r.Stages = append(r.Stages, stage)
	}
	r.Rate = r.Stages[0].Rate
	return r, nil
}

// aloneTime is how long verifying alone is measured.
const aloneTime = 2 * time.Second

// verifyAlone is how many of the signed callbacks a second all processors
// verify and decrypt, round and round. Only that is in it: what the signature
// is over, and what is sealed, are taken out of the deliveries beforehand.
func (l *lives) verifyAlone(ctx context.Context) (perSecond float64, err error) {
	block, err := aes.NewCipher([]byte(l.k.WechatPay.APIv3Key))
	if err != nil {
		return 0, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return 0, err
	}
	bare := make([]bareCallback, len(l.list))
	for i := range bare {
		if bare[i], err = l.list[i].signed.bare(); err != nil {
			return 0, err
		}
	}
	var next, done atomic.Int64
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	errs := make(chan error, workers)
	began := time.Now()
	for range workers {
		wg.Go(func() {
			var buffer []byte
			for time.Since(began) < aloneTime && ctx.Err() == nil {
				b := &bare[(next.Add(1)-1)%int64(len(bare))]
				var err error
				if buffer, err = b.open(&l.k.WechatPay.PlatformKey.PublicKey, aead, buffer[:0]); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	close(errs)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return float64(done.Load()) / took.Seconds(), <-errs
}

// bareCallback is what the cryptography of a callback works on.
type bareCallback struct {
	message, signature        []byte
	nonce, ciphertext, beside []byte
}

func (c *callback) bare() (b bareCallback, err error) {
	b.message = append(b.message, c.header.Get("Wechatpay-Timestamp")+"\n"+c.header.Get("Wechatpay-Nonce")+"\n"...)
	b.message = append(append(b.message, c.body...), '\n')
	if b.signature, err = base64.StdEncoding.DecodeString(c.header.Get("Wechatpay-Signature")); err != nil {
		return b, err
	}
	var outside struct {
		Resource struct {
			Ciphertext     []byte `json:"ciphertext"`
			AssociatedData string `json:"associated_data"`
			Nonce          string `json:"nonce"`
		} `json:"resource"`
	}
	if err = json.Unmarshal(c.body, &outside); err != nil {
		return b, err
	}
	in := &outside.Resource
	b.nonce, b.ciphertext, b.beside = []byte(in.Nonce), in.Ciphertext, []byte(in.AssociatedData)
	return b, nil
}

// open verifies and decrypts, and appends the content to buffer.
func (b *bareCallback) open(key *rsa.PublicKey, aead cipher.AEAD, buffer []byte) ([]byte, error) {
	sum := sha256.Sum256(b.message)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], b.signature); err != nil {
		return buffer, err
	}
	return aead.Open(buffer, b.nonce, b.ciphertext, b.beside)
}
