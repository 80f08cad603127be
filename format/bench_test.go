package format

import (
	"encoding/json"
	"testing"
)

// BenchmarkAppended measures what is appended beside what encoding/json takes
// for the same bytes.
func BenchmarkAppended(b *testing.B) {
	events, full, plain, pay := fullEvents(), fullOrder(), plainOrder(), fullPayment()
	encode(b, "orders.snapshot", func() ([]byte, error) { return OrderSnapshot.Encode(&full) }, new(snapshot))
	encode(b, "orders.snapshot/plain", func() ([]byte, error) { return OrderSnapshot.Encode(&plain) }, new(snapshot))
	encode(b, "payments.detail", func() ([]byte, error) { return PaymentDetail.Encode(&pay) }, new(detail))
	encode(b, "events.body", func() ([]byte, error) { return Events.Encode(&events) }, new([]occurrence))
	encode(b, "answer.order", func() ([]byte, error) { return OrderAnswer.Encode(&plain) }, new(orderAnswer))
	encode(b, "answer.payment", func() ([]byte, error) { return PaymentAnswer.Encode(&pay) }, new(paymentAnswer))
}

func encode(b *testing.B, name string, appended func() ([]byte, error), s any) {
	doc, err := appended()
	if err == nil {
		err = json.Unmarshal(doc, s)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name+"/appended", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = appended()
		}
	})
	b.Run(name+"/encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(s)
		}
	})
}
