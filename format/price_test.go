package format

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

func fullSnapshot(name string) *order.Data {
	return &order.Data{
		Items: []pricing.QuoteLine{
			{Sku: "A", Name: name, Quantity: 2, UnitPrice: 1999, Total: 3998, Discount: 400, Payable: 3598},
			{Sku: "茶", Name: name, Quantity: 1, UnitPrice: 9, Total: 9, Discount: 9, Gift: true},
		},
		Applied: []pricing.Applied{
			{Source: pricing.FromPromotion, ID: "ten", Name: name, Kind: "percent_off", Version: 3, Amount: 400, Shares: []pricing.Share{{Line: 0, Amount: 400}}},
			{Source: pricing.FromCoupon, ID: "t", Code: "C-1", Name: name, Kind: "amount_off", Version: 1},
		},
		Basis: &pricing.Basis{
			Rules: 17, At: time.Date(2026, 11, 3, 4, 5, 6, 789012000, time.UTC), Level: "金", Tags: []string{"x", "新客"}, FirstOrder: true,
			Categories: map[string][]string{"A": {"tea"}, "茶": {}}, Usage: map[string]pricing.Usage{"ten": {Uses: 3, ByUser: 1, Spent: 1200}, "z": {}},
			Gifts: []pricing.Gift{{Sku: "茶", Name: "g", UnitPrice: 9, Available: 1}, {Available: -1}},
		},
		Coupons: []string{"C-1"}, Counts: []event.Count{{Name: "uses/ten", Amount: 1, Limit: 9}}, Metadata: map[string]string{"k": name},
	}
}

// readSnapshot demands that what the fast reader takes is what encoding/json
// makes of it, and says whether it took it.
func readSnapshot(t *testing.T, doc string) bool {
	t.Helper()
	var fast, slow Price
	s := snapshotReader{in: doc}
	s.snapshot(&fast)
	if s.odd || s.at != len(doc) {
		return false
	}
	if err := readSlowly(doc, &slow); err != nil {
		t.Fatalf("%s\nis taken, and encoding/json says %v", doc, err)
	}
	for i := range slow.Items { // what is passed over
		l := &slow.Items[i]
		l.Name, l.Total, l.Discount, l.Payable = "", 0, 0, 0
	}
	for i := range slow.Applied {
		a := &slow.Applied[i]
		a.Name, a.Kind, a.Version, a.Shares = "", "", 0, nil
	}
	if !reflect.DeepEqual(fast, slow) {
		t.Fatalf("%s\nread as %+v\nencoding/json: %+v", doc, fast, slow)
	}
	return true
}

// readSlowly reads a snapshot as Decode does.
func readSlowly(doc string, into *Price) error {
	var d order.Data
	err := OrderSnapshot.Decode([]byte(doc), &d)
	*into = Price{d.Items, d.Applied, d.Basis, d.Coupons}
	return err
}

func marshalled(t testing.TB, d *order.Data) string {
	t.Helper()
	b, err := OrderSnapshot.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadSnapshot(t *testing.T) {
	full := marshalled(t, fullSnapshot("绿茶 \"<&>\"\n\u2028"))
	for _, tt := range []struct {
		name, doc string
		fast      bool
	}{
		{"full", full, true},
		{"empty", "{}", true},
		{"nothing asked", marshalled(t, &order.Data{Items: []pricing.QuoteLine{{Sku: "A"}}, Basis: &pricing.Basis{At: time.Unix(0, 0).UTC()}}), true},
		{"an escape in what is read", strings.Replace(full, `"sku":"A"`, `"sku":"\u0041"`, 1), false},
		{"another order", `{"coupons":["C"],"items":[]}`, false},
		{"a name in capitals", `{"Coupons":["C"]}`, false},
		{"a name that is there twice", `{"coupons":["C"],"coupons":["D"]}`, false},
		{"an unknown name", `{"items":[],"more":1}`, false},
		{"spaces", `{"items": []}`, false},
		{"null", `{"items":null}`, false},
		{"a fraction", strings.Replace(full, `"quantity":2`, `"quantity":2.0`, 1), false},
		{"a number too long", strings.Replace(full, `"quantity":2`, `"quantity":2000000000000000000`, 1), false},
		{"a leading zero", strings.Replace(full, `"quantity":2`, `"quantity":02`, 1), false},
		{"a zone", strings.Replace(full, `789012Z`, `789012+08:00`, 1), false},
		{"text behind it", full + " ", false},
		{"cut off", full[:len(full)-1], false},
		{"none", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if fast := readSnapshot(t, tt.doc); fast != tt.fast {
				t.Errorf("fast is %v", fast)
			}
			var got, want Price
			if gotErr, wantErr := ReadPrice(tt.doc, &got), readSlowly(tt.doc, &want); (gotErr != nil) != (wantErr != nil) {
				t.Errorf("%v, encoding/json says %v", gotErr, wantErr)
			} else if !tt.fast && wantErr == nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add(marshalled(f, fullSnapshot("绿茶")))
	f.Add(marshalled(f, fullSnapshot("\\\u0000")))
	f.Add(`{"items":[],"applied":[{"source":"x","lines":null}],"basis":{"rules":-1,"at":"2026-11-03T00:00:00Z"}}`)
	f.Fuzz(func(t *testing.T, doc string) { readSnapshot(t, doc) })
}

func BenchmarkReadSnapshot(b *testing.B) {
	doc := marshalled(b, fullSnapshot("绿茶"))
	b.Run("ReadPrice", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var p Price
			if err := ReadPrice(doc, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var p Price
			if err := readSlowly(doc, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
