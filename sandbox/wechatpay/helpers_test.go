package wechatpay_test

import (
	"context"
	"testing"

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

// in is the bench for a subtest.
func (b *bench) in(t *testing.T) *bench {
	inner, outer := *b.Wechat, *b.Bench
	outer.T = t
	inner.Bench = &outer
	return &bench{&inner}
}
