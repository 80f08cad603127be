package channeltest

import (
	"bytes"
	"net/http"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/payment"
)

// paid opens and pays a payment and fetches its callback.
func (s suite) paid(paymentNo string) (http.Header, []byte) {
	s.Helper()
	s.open(paymentNo)
	s.must(s.Pay(paymentNo))
	h, body, err := s.Callback(paymentNo)
	s.must(err)
	return h, body
}

// callbackAgrees reads every callback as the fact that a query gives, so that
// the second of the two changes nothing.
func callbackAgrees(s suite) {
	seen := map[string]bool{}
	for _, no := range []string{"CTCALL0001", "CTCALL0002", "CTCALL0003"} {
		h, body := s.paid(no)
		header, text := h.Clone(), bytes.Clone(body)
		n, err := s.Channel.Read(s.Now(), h, body)
		s.must(err)
		if n.ID == "" || n.Type == "" || n.PaymentNo != no || n.RefundNo != "" || len(n.Plain) == 0 {
			s.Errorf("the notice is %+v", n)
		}
		if !cmp.Equal(header, h) || !bytes.Equal(text, body) {
			s.Error("it changed what it read")
		}
		queried := s.query(no, payment.Paid)
		if n.Fact.Source != payment.ByCallback {
			s.Errorf("the source is %q", n.Fact.Source)
		}
		notified := n.Fact
		notified.Source, notified.ReceivedAt = queried.Source, queried.ReceivedAt
		if diff := cmp.Diff(queried, notified); diff != "" {
			s.Errorf("query and callback differ: %s", diff)
		}
		if seen[notified.ID] {
			s.Errorf("%s is the fact of two payments", notified.ID)
		}
		seen[notified.ID] = true

		again, err := s.Channel.Read(s.Now(), h, body)
		s.must(err)
		if diff := cmp.Diff(n.Fact.ID, again.Fact.ID); diff != "" || again.ID != n.ID {
			s.Errorf("read twice: %s", diff)
		}
		// Sent once more, it is signed afresh and says the same.
		h, body, err = s.Callback(no)
		s.must(err)
		if again, err = s.Channel.Read(s.Now(), h, body); err != nil || again.Fact.ID != n.Fact.ID {
			s.Errorf("sent once more: %q, %v; want %q", again.Fact.ID, err, n.Fact.ID)
		}
	}
}

func callbackTampered(s suite) {
	h, body := s.paid("CTTAMPER0001")
	_, err := s.Channel.Read(s.Now(), h, body)
	s.must(err)

	for i := 0; i < len(body); i += 1 + len(body)/97 {
		other := bytes.Clone(body)
		other[i] ^= 1
		s.refuses("with a changed byte", s.Now(), h, other, "")
	}
	s.refuses("cut short", s.Now(), h, body[:len(body)-1], "")
	s.refuses("made longer", s.Now(), h, append(bytes.Clone(body), 'x'), "")
	s.refuses("emptied", s.Now(), h, nil, "")
	s.refuses("with another content", s.Now(), h, []byte(`{"id":"1"}`), "")

	// Some channels sign in headers. The others' are nobody's promise: only a
	// header that is missed when it is dropped must be missed when it is changed.
	for name := range h {
		without := h.Clone()
		delete(without, name)
		if _, err := s.Channel.Read(s.Now(), without, body); err == nil {
			continue
		}
		changed := h.Clone()
		changed[name] = []string{"1" + h.Get(name)}
		s.refuses("with another "+name, s.Now(), changed, body, "")
	}
}

func callbackTooLong(s suite) {
	h, body := s.paid("CTLONG0001")
	long := append(bytes.Clone(body), bytes.Repeat([]byte(" "), 1<<20)...)
	s.refuses("of a megabyte", s.Now(), h, long, payment.StageSize)
}

func callbackReplayed(s suite) {
	h, body := s.paid("CTREPLAY0001")
	now := s.Now()
	if s.Fresh == 0 {
		// No rule about age: an old one is as good as new.
		_, err := s.Channel.Read(now.Add(30*24*time.Hour), h, body)
		s.must(err)
		return
	}
	s.refuses("replayed later", now.Add(s.Fresh+2*time.Second), h, body, payment.StageTimestamp)
	s.refuses("from the future", now.Add(-s.Fresh-2*time.Second), h, body, payment.StageTimestamp)
	for _, d := range []time.Duration{s.Fresh - 2*time.Second, 2*time.Second - s.Fresh} {
		if _, err := s.Channel.Read(now.Add(d), h, body); err != nil {
			s.Errorf("%s away: %v", d, err)
		}
	}
}

func answers(s suite) {
	yes, no := s.Channel.Answer(true), s.Channel.Answer(false)
	if yes.Status != http.StatusOK && yes.Status != http.StatusNoContent {
		s.Errorf("success is answered with %d", yes.Status)
	}
	if yes.Status == no.Status && bytes.Equal(yes.Body, no.Body) {
		s.Errorf("success and failure are the same: %+v", yes)
	}
}
