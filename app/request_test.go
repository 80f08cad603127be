package app

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// hashed are requests with the hashes that v0.2 saved of them.
func hashed() []struct {
	operation string
	request   any
	saved     string
} {
	price, percent, active, at := int64(1999), money.Percent(1250), true, time.Date(2026, 11, 22, 9, 30, 0, 5000, time.UTC)
	return []struct {
		operation string
		request   any
		saved     string
	}{
		{"place order", PlaceOrder{},
			"9f1246cb6fc6fa932d96fc5f1b6069b48bc241a388effa0b7c2099e278655e19"},
		{"place order", PlaceOrder{Cart: Cart{User: "u", Items: []Item{{"a", 2}}, Coupons: []string{}}, Metadata: map[string]string{}},
			"6022f33ea13e669b619548fdbd26fc3df9dbebf417e6a8a40c305dc95ed4ace4"},
		{"draft order", PlaceOrder{
			Cart: Cart{User: "u<&>", Items: []Item{{"a", 2}, {"茶", 1}}, Coupons: []string{"C1"}}, Expected: &price, ExpiresIn: 20 * time.Minute,
			Metadata: map[string]string{"b": "2", "a": "1"}, Plan: []order.Instalment{{Amount: 5, DueAt: at, Dated: true}, {Amount: 6}},
		},
			"539fd058979d8f7db641d98dabee719793c027ca146041d2760843e530411c7d"},
		{"open payment 1", OpenPayment{},
			"cebcc8883e0f78382bd02737619c8b363e128093a970d7d4447050d318c0c0d3"},
		{"open payment 1", OpenPayment{Channel: "wx", Method: "jsapi", Amount: 5, OpenID: "o", ClientIP: "::1", ReturnURL: "https://x/?a&b"},
			"35a609ff2654833bb787611facecdaeb0ef3ff346220c92199dac947d9fe5e6e"},
		{"ask refund 1", RequestRefund{},
			"40d5a71d06a9bb92f98ef61c34d712b70df3e3eeb73d9234e4b602061aa8c348"},
		{"ask refund 1", RequestRefund{RefundRequest: order.RefundRequest{Amount: 3, Items: []order.RefundItem{{Line: 1, Quantity: 2}}}, Reason: "不想要了"},
			"55cc2d27c04c23c711caa91a61f5a8f5997a8e106fffc6fa563ec88dd801d385"},
		{"issue coupons", IssueCoupons{},
			"bdce2644a010f44ece9dea75dc919a5becd487cad3117767e320b62ef802aa5b"},
		{"issue coupons", IssueCoupons{Template: "t", User: "u", Users: []string{"v"}, Count: 2, Codes: []string{"C"}},
			"fe3145b5ed68d7e305dcf12c6aa169e66912d73e5227fdeb856877f1f241e771"},
		{"issue job", &IssueJob{},
			"167db17ac36ef48867e65be9f90468cda50d52751108f1c24d3bb0e9c63398cc"},
		{"issue job", &IssueJob{Name: "j", Template: "t", Prefix: "P", Count: 5},
			"892d6b25b0bf98b4ffe4d3e1d45480d165062b8cd202510c02b69f67cac36cf0"},
		{"put promotion", pricing.Promotion{},
			"95340f6c4b0b5941a538c255d4d471d067b50e59eff6dcc12af014224c36787c"},
		{"put promotion", pricing.Promotion{ID: "p", Name: "n", Kind: "tiered", Tiers: []pricing.Tier{{Threshold: 1, PercentOff: &percent}}, Items: []pricing.BundleItem{{Sku: "a", Quantity: 1}}, Scope: &pricing.Scope{Skus: []string{"a"}}, StartsAt: &at, Active: &active},
			"1edfbee313f0d303a77a92976138da616191c2a7a5f20fc48557a8494eba81a3"},
		{"put template", marketing.Template{},
			"6a23203b09451a7dc8e58d1dbd2f1461f05a432fb2cbf5657d66577c33190682"},
		{"put template", marketing.Template{ID: "t", Name: "n", Kind: "percent_off", PercentOff: &percent, Scope: &pricing.Scope{}, ValidFrom: &at, Supply: 3},
			"64737e1c8293d0f14511ec2ba23eb1cd5815ad4186b85bc1a9d5225bdc36c850"},
		{"price draft 1", Versions(nil),
			"577afe6310999816b283aee8115992da9fb8247c9feebd7bc6c586f7ba80e5a1"},
		{"price draft 1", Versions{1, 2},
			"01837313a5cbc800cfe1ff3899f8040b897182f9388fa40c631b2002335db6e2"},
		{"submit draft 1", submission{Versions{3}, &price},
			"2e307a5316d39775d2008a31a1a074788aa734108fc3489db6c1a3aa91fd5ce0"},
		{"submit draft 1", submission{},
			"210cb0b08c2351ae53e90fb804b320efc7957e4955cb2320f0329ccccf089fde"},
		{"adjust stock a", int64(-5),
			"aadc364b84be9eb3ab3ead671f65a30c1255b1ad690131c0e45ec0bc7ce8d4b8"},
		{"claim coupon t", "u1",
			"9e4ce6df6037403569b8a2c39866fc694ce58097de5259bfe89eeb83a7a5efdb"},
		{"revoke coupon C1", nil,
			"46811f764acbfc670f694d5feb2b678ec86ac227166c0f9df9053463c570b397"},
	}
}

// TestHash: a request has the hash that was saved of it before, so that a
// client may repeat it after an upgrade. No line is ever to be changed; a new
// member of a request leaves them as they are.
func TestHash(t *testing.T) {
	for _, c := range hashed() {
		if got := hex.EncodeToString(Hash(c.operation, c.request)); got != c.saved {
			t.Errorf("%s %+v: %s, saved as %s", c.operation, c.request, got, c.saved)
		}
	}
}

// TestHashHasEveryField: no field of a request can be changed without changing
// its hash, but for those named here.
func TestHashHasEveryField(t *testing.T) {
	apart := map[string]bool{"OpenPayment.ClientIP": true} // a repeat may come from another address
	for _, request := range []any{
		&PlaceOrder{}, &OpenPayment{}, &RequestRefund{}, &IssueCoupons{}, &IssueJob{}, &pricing.Promotion{}, &marketing.Template{},
	} {
		v := reflect.ValueOf(request).Elem()
		hash := func() string {
			if job, is := request.(*IssueJob); is {
				return string(Hash("", job))
			}
			return string(Hash("", v.Interface()))
		}
		without := hash()
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.Anonymous || !f.IsExported() {
				continue
			}
			field := v.FieldByIndex(f.Index)
			field.Set(something(t, f.Type))
			if name := v.Type().Name() + "." + f.Name; (hash() == without) != apart[name] {
				t.Errorf("%s: its hash is that of a request without it: %t", name, hash() == without)
			}
			field.SetZero()
		}
	}
	if a, b, c := Hash("", submission{}), Hash("", submission{seen: Versions{1}}), Hash("", submission{expected: new(int64)}); bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Error("a submission's hash lacks a field")
	}
}

// something is a value of a type that is not zero.
func something(t *testing.T, of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(reflect.Zero(of.Key()), reflect.Zero(of.Elem()))
	default:
		t.Fatalf("no value of %s is known here", of)
	}
	return v
}

// TestHashUnknown: a request without a format is a defect that shows at once.
func TestHashUnknown(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a request of a type without a format has a hash")
		}
	}()
	Hash("", struct{ New string }{})
}
