package sandbox

import "net/http"

// SignedRefundCallback makes the callback that tells what has last become of a
// refund, as it would be sent now: with the id and body of the one that the
// gateway itself sends. The refund must have been asked for with a notify_url.
// The trade's number is given where refund numbers are the trade's own.
func (g *Gateway) SignedRefundCallback(refundNo string, outTradeNo ...string) (http.Header, []byte, error) {
	var n *notice
	err := g.withRefund(refundNo, func(r *refund) error {
		for _, told := range r.trade.notices {
			if told.refund == r {
				n = told
			}
		}
		if n == nil {
			return ErrNoRefund
		}
		return nil
	}, outTradeNo...)
	if err != nil {
		return nil, nil, err
	}
	header, body, _, err := n.trade.speaks.callback(n, 0, "")
	return header, body, err
}
