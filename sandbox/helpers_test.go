package sandbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/tandem-pay/tandem/sandbox"
	"github.com/tandem-pay/tandem/sandbox/sandboxtest"
	"github.com/tandem-pay/tandem/sandbox/wechatpay"
)

var ctx = context.Background()

// bench is a gateway and a shop that takes WeChat Pay.
type bench struct{ *sandboxtest.Wechat }

func newBench(t testing.TB, change ...func(*sandbox.Options)) *bench {
	return &bench{sandboxtest.NewWechat(t, change...)}
}

func testKeys() *wechatpay.Keys { return sandboxtest.Keys().WechatPay }

func s(v string) *string { return &v }
func i(v int64) *int64   { return &v }

func apiCode(err error) string {
	if e := new(core.APIError); errors.As(err, &e) {
		return e.Code
	}
	return ""
}
