package alipay

import (
	"math/big"
	"strings"
	"testing"

	"github.com/tandem-pay/tandem/sandbox/wire"
)

// Whatever comes, an order is refused or has the shape that it must have.
func FuzzOrder(f *testing.F) {
	f.Add(`{"out_trade_no":"NO1","total_amount":"88.88","subject":"x"}`)
	f.Add(`{"out_trade_no":"NO1","total_amount":1,"subject":"x","timeout_express":"1c","time_expire":"2026-11-22 23:00:00"}`)
	f.Add(`{"out_trade_no":"NO1","total_amount":"","subject":null,"seller_id":["x"]}`)
	a := New(&wire.Env{}, testKeys(f))
	f.Fuzz(func(t *testing.T, text string) {
		biz, no := parseBiz(text)
		if no != nil {
			return
		}
		amount, _ := biz.text("total_amount", 12)
		o, no := a.parseOrder(precreate, params{}, biz)
		if no != nil {
			if !strings.HasPrefix(no.subCode, "ACQ.") || no.code != codeBusiness {
				t.Errorf("%+v", no)
			}
			return
		}
		if !noShape.MatchString(o.no) || o.subject == "" || o.amount < 1 || o.amount > maxAmount {
			t.Errorf("%+v", o)
		}
		exact, ok := new(big.Rat).SetString(amount)
		if !ok || exact.Mul(exact, big.NewRat(100, 1)).Cmp(new(big.Rat).SetInt64(o.amount)) != 0 {
			t.Errorf("%q was read as %d fen", amount, o.amount)
		}
	})
}

// What is merged and encoded again is the same, and so is what is signed.
func FuzzParams(f *testing.F) {
	f.Add("app_id=1&sign=x", "biz_content=%7B%7D")
	f.Add("a=1&a=2", "")
	f.Add("a=%zz", "b=;")
	f.Fuzz(func(t *testing.T, query, body string) {
		p, no := mergeParams(query, body)
		if no != nil {
			return
		}
		again, no := mergeParams(p.encode())
		if no != nil || again.message("sign") != p.message("sign") {
			t.Errorf("%q %q: %+v", p, again, no)
		}
	})
}
