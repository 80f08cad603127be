package checkout

import (
	"context"
	"slices"

	"github.com/tandem-pay/tandem/payment"
)

// way is a way to pay: a channel of the shop that shows a code to scan.
type way struct {
	Channel string         `json:"channel"`
	Kind    string         `json:"kind"` // the protocol, for which the page has a name
	Method  payment.Method `json:"method"`
}

// codes are the methods that end in a code to scan, in the order in which the
// page offers them.
var codes = []payment.Method{payment.Native, payment.Precreate}

// ways are what the page can offer. A channel that cannot be opened or has no
// code to scan is left out: the others still sell.
func (s *shop) ways(ctx context.Context) ([]way, error) {
	rows, err := s.App.Store.ListChannels(ctx, s.Shop)
	if err != nil {
		return nil, err
	}
	out := []way{}
	for i := range rows {
		r := &rows[i]
		ch, err := s.App.Channels.Channel(ctx, s.Shop, r.Name)
		if err != nil {
			s.Log.ErrorContext(ctx, "demo: a channel cannot be opened", "channel", r.Name, "error", err)
			continue
		}
		methods := ch.Methods()
		if at := slices.IndexFunc(codes, func(m payment.Method) bool { return slices.Contains(methods, m) }); at >= 0 {
			out = append(out, way{r.Name, r.Kind, codes[at]})
		}
	}
	slices.SortStableFunc(out, func(a, b way) int { return slices.Index(codes, a.Method) - slices.Index(codes, b.Method) })
	return out, nil
}
