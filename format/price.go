package format

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/pricing"
)

// Price is the part of orders.snapshot that an order is priced again from.
type Price struct {
	Items   []pricing.QuoteLine // as far as a price is computed from it
	Applied []pricing.Applied   // likewise
	Basis   *pricing.Basis
	Coupons []string
}

// ReadPrice reads a document of OrderSnapshot. Those that stand as it writes
// them are read in a tenth of the time that Decode takes, without what no price
// depends on (names, shares, sums); whatever else is valid goes through Decode.
// The strings are parts of doc.
func ReadPrice(doc string, into *Price) error {
	s := snapshotReader{in: doc}
	if s.snapshot(into); !s.odd && s.at == len(doc) {
		return nil
	}
	var d order.Data
	if err := OrderSnapshot.Decode([]byte(doc), &d); err != nil {
		return err
	}
	*into = Price{d.Items, d.Applied, d.Basis, d.Coupons}
	return nil
}

// snapshotReader reads a document that looks as Encode writes it: known
// members, in the order of their fields, without spaces. It is odd from the
// first byte on that does not. Strings are parts of the document.
type snapshotReader struct {
	in  string
	at  int
	odd bool
}

func (s *snapshotReader) peek() byte {
	if s.at < len(s.in) {
		return s.in[s.at]
	}
	return 0
}

func (s *snapshotReader) take(c byte) bool {
	if s.at < len(s.in) && s.in[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *snapshotReader) want(c byte) {
	if !s.take(c) {
		s.odd = true
	}
}

func (s *snapshotReader) literal(text string) bool {
	if strings.HasPrefix(s.in[s.at:], text) {
		s.at += len(text)
		return true
	}
	return false
}

// object reads members; value is called with the place of each name in names,
// which come in their order, or not at all.
func (s *snapshotReader) object(names []string, value func(name int)) {
	s.want('{')
	if s.odd || s.take('}') {
		return
	}
	for next := 0; !s.odd; {
		s.want('"')
		for next < len(names) && !s.literal(names[next]) {
			next++
		}
		if next == len(names) || s.odd {
			s.odd = true
			return
		}
		value(next)
		next++
		if !s.take(',') {
			s.want('}')
			return
		}
	}
}

// array reads elements.
func (s *snapshotReader) array(element func()) {
	s.want('[')
	if s.odd || s.take(']') {
		return
	}
	for !s.odd {
		element()
		if !s.take(',') {
			s.want(']')
			return
		}
	}
}

// entries reads a map.
func (s *snapshotReader) entries(value func(key string)) {
	s.want('{')
	if s.odd || s.take('}') {
		return
	}
	for !s.odd {
		key := s.text()
		s.want(':')
		if s.odd {
			return
		}
		value(key)
		if !s.take(',') {
			s.want('}')
			return
		}
	}
}

// text reads a string that needs no unescaping.
func (s *snapshotReader) text() string {
	s.want('"')
	from, plain := s.at, true
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			t := s.in[from:s.at]
			s.at++
			s.odd = s.odd || !plain && !utf8.ValidString(t)
			return t
		case c < ' ' || c == '\\':
			s.odd = true
			return ""
		case c >= utf8.RuneSelf:
			plain = false
		}
		s.at++
	}
	s.odd = true
	return ""
}

// pass reads a string that nobody needs.
func (s *snapshotReader) pass() {
	s.want('"')
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return
		case c < ' ':
			s.odd = true
			return
		case c == '\\':
			s.at++
			switch e := s.peek(); {
			case e == 'u' && len(s.in)-s.at > 4 && strings.Trim(s.in[s.at+1:s.at+5], "0123456789abcdefABCDEF") == "":
				s.at += 4
			case e == 0 || strings.IndexByte(`"\/bfnrt`, e) < 0:
				s.odd = true
				return
			}
		}
		s.at++
	}
	s.odd = true
}

func (s *snapshotReader) number() (n int64) {
	negative := s.take('-')
	from := s.at
	for s.at < len(s.in) && '0' <= s.in[s.at] && s.in[s.at] <= '9' {
		n = 10*n + int64(s.in[s.at]-'0')
		s.at++
	}
	digits := s.at - from
	if digits == 0 || digits > 18 || digits > 1 && s.in[from] == '0' || strings.IndexByte(".eE", s.peek()) >= 0 && s.at < len(s.in) {
		s.odd = true
	}
	if negative {
		return -n
	}
	return n
}

func (s *snapshotReader) flag() bool {
	if s.literal("true") {
		return true
	}
	if !s.literal("false") {
		s.odd = true
	}
	return false
}

func (s *snapshotReader) texts() []string {
	list := []string{}
	s.array(func() { list = append(list, s.text()) })
	return list
}

// moment reads a time in UTC.
func (s *snapshotReader) moment() time.Time {
	text := s.text()
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || len(text) < 20 || text[10] != 'T' || text[len(text)-1] != 'Z' || strings.IndexByte(text, ',') >= 0 {
		s.odd = true
	}
	return t
}

// The members of snapshot, line and so on, as they stand in a document.
var (
	snapshotNames = []string{`items":`, `applied":`, `basis":`, `coupons":`, `counts":`, `metadata":`}
	lineNames     = []string{`sku":`, `name":`, `quantity":`, `unitPrice":`, `totalAmount":`, `discountAmount":`, `payableAmount":`, `gift":`}
	appliedNames  = []string{`source":`, `id":`, `code":`, `name":`, `kind":`, `version":`, `amount":`, `lines":`}
	shareNames    = []string{`line":`, `amount":`}
	countNames    = []string{`name":`, `amount":`, `limit":`}
	basisNames    = []string{`rules":`, `at":`, `level":`, `tags":`, `firstOrder":`, `categories":`, `usage":`, `gifts":`}
	usageNames    = []string{`uses":`, `byUser":`, `spent":`}
	giftNames     = []string{`sku":`, `name":`, `unitPrice":`, `available":`}
)

func (s *snapshotReader) snapshot(into *Price) {
	s.object(snapshotNames, func(name int) {
		switch name {
		case 0:
			into.Items = make([]pricing.QuoteLine, 0, 4)
			s.array(func() { into.Items = append(into.Items, s.line()) })
		case 1:
			into.Applied = make([]pricing.Applied, 0, 4)
			s.array(func() { into.Applied = append(into.Applied, s.applied()) })
		case 2:
			into.Basis = s.basis()
		case 3:
			into.Coupons = s.texts()
		case 4:
			s.array(func() {
				s.object(countNames, func(name int) {
					if name == 0 {
						s.pass()
					} else {
						s.number()
					}
				})
			})
		case 5:
			s.entries(func(string) { s.pass() })
		}
	})
}

func (s *snapshotReader) line() (l pricing.QuoteLine) {
	s.object(lineNames, func(name int) {
		switch name {
		case 0:
			l.Sku = s.text()
		case 1:
			s.pass()
		case 2:
			l.Quantity = s.number()
		case 3:
			l.UnitPrice = s.number()
		case 7:
			l.Gift = s.flag()
		default:
			s.number()
		}
	})
	return l
}

func (s *snapshotReader) applied() (a pricing.Applied) {
	s.object(appliedNames, func(name int) {
		switch name {
		case 0:
			a.Source = pricing.Source(s.text())
		case 1:
			a.ID = s.text()
		case 2:
			a.Code = s.text()
		case 3, 4:
			s.pass()
		case 5:
			s.number()
		case 6:
			a.Amount = s.number()
		case 7:
			if s.literal("null") {
				return
			}
			s.array(func() { s.object(shareNames, func(int) { s.number() }) })
		}
	})
	return a
}

func (s *snapshotReader) basis() *pricing.Basis {
	b := &pricing.Basis{}
	s.object(basisNames, func(name int) {
		switch name {
		case 0:
			b.Rules = s.number()
		case 1:
			b.At = s.moment()
		case 2:
			b.Level = s.text()
		case 3:
			b.Tags = s.texts()
		case 4:
			b.FirstOrder = s.flag()
		case 5:
			b.Categories = map[string][]string{}
			s.entries(func(sku string) { b.Categories[sku] = s.texts() })
		case 6:
			b.Usage = map[string]pricing.Usage{}
			s.entries(func(id string) { b.Usage[id] = s.usage() })
		case 7:
			b.Gifts = []pricing.Gift{}
			s.array(func() { b.Gifts = append(b.Gifts, s.gift()) })
		}
	})
	return b
}

func (s *snapshotReader) usage() (u pricing.Usage) {
	s.object(usageNames, func(name int) {
		*[]*int64{&u.Uses, &u.ByUser, &u.Spent}[name] = s.number()
	})
	return u
}

func (s *snapshotReader) gift() (g pricing.Gift) {
	s.object(giftNames, func(name int) {
		switch name {
		case 0:
			g.Sku = s.text()
		case 1:
			g.Name = s.text()
		case 2:
			g.UnitPrice = s.number()
		case 3:
			g.Available = s.number()
		}
	})
	return g
}
