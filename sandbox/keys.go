package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tandem-pay/tandem/sandbox/alipay"
	"github.com/tandem-pay/tandem/sandbox/random"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

// Keys are all secrets of the sandbox, of both sides of both protocols. They
// are worth nothing outside it. As JSON they are one flat object.
type Keys struct {
	WechatPay *wechatpay.Keys
	Alipay    alipay.Keys
}

// GenerateKeys makes new merchants and platforms; the certificate is valid for
// five years from the day before now. A nil random is crypto/rand. The names
// come from random; Go's crypto packages draw the RSA keys from the system
// whatever random is, so that only stored keys are the same again.
func GenerateKeys(rand io.Reader, now time.Time) (*Keys, error) {
	return generateKeys(random.New(rand), now)
}

func generateKeys(source *random.Source, now time.Time) (*Keys, error) {
	wechat, err := wechatpay.GenerateKeys(source, now)
	if err != nil {
		return nil, err
	}
	ali, err := alipay.GenerateKeys(source)
	if err != nil {
		return nil, err
	}
	k := &Keys{wechat, ali}
	return k, k.check()
}

// LoadOrCreateKeys reads the keys from the file at path. When there is none
// it generates them and writes the file, readable by its owner alone; of
// several processes that do so at once, all end up with the same keys.
func LoadOrCreateKeys(path string, rand io.Reader, now time.Time) (*Keys, error) {
	keys, err := loadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if keys, err = GenerateKeys(rand, now); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(append(text, '\n'))
	if err := errors.Join(err, temp.Close()); err != nil {
		return nil, err
	}
	// A link, unlike a rename, fails when another process was first.
	switch err := os.Link(temp.Name(), path); {
	case err == nil:
		return keys, nil
	case errors.Is(err, fs.ErrExist):
		return loadKeys(path)
	default: // a file system without links
		return keys, os.Rename(temp.Name(), path)
	}
}

func loadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	keys := new(Keys)
	if err := json.Unmarshal(text, keys); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// MarshalJSON writes all keys, the private ones included.
func (k *Keys) MarshalJSON() ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	wechat, err1 := json.Marshal(k.WechatPay)
	ali, err2 := json.Marshal(k.Alipay)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	// Two objects become one: no name is in both.
	return append(append(wechat[:len(wechat)-1], ','), ali[1:]...), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, in this version or in one that
// had no Alipay: such keys gain the Alipay half, always the same.
func (k *Keys) UnmarshalJSON(text []byte) error {
	k.WechatPay = new(wechatpay.Keys)
	if err := json.Unmarshal(text, k.WechatPay); err != nil {
		return err
	}
	if err := json.Unmarshal(text, &k.Alipay); err != nil {
		return err
	}
	if k.Alipay == (alipay.Keys{}) {
		k.Alipay = deriveAlipayKeys(k.WechatPay)
	}
	return nil
}

// check refuses keys with which the gateway could not work.
func (k *Keys) check() error {
	if k.WechatPay == nil {
		return errors.New("keys: those of WeChat Pay are missing")
	}
	return errors.Join(k.WechatPay.Check(), k.Alipay.Check())
}

// deriveAlipayKeys makes the Alipay half of keys that were stored before
// there was one. It follows from the other half alone, so that every process
// that reads the same text gets the same keys and nothing has to be written:
// the names are a hash, and the two sides share the other half's RSA keys. What
// is signed never looks alike in the two protocols.
func deriveAlipayKeys(k *wechatpay.Keys) alipay.Keys {
	number := func(of string) string {
		sum := sha256.Sum256([]byte("alipay " + of + " " + k.MchID + " " + k.APIv3Key))
		text := make([]byte, 12)
		for i := range text {
			text[i] = '0' + sum[i]%10
		}
		return string(text)
	}
	return alipay.Keys{
		AppID: "2021" + number("app"), SellerID: "2088" + number("seller"),
		AppKey: k.MerchantKey, PlatformKey: k.PublicKeyPrivate,
	}
}
