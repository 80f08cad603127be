package postgres

import (
	"context"

	"github.com/tandem-pay/tandem/rows"
)

var noteColumns = columns(rows.CallbackNotes)

// RefusedCallbacks reads what is noted of refused callbacks, newest first.
func (s *Store) RefusedCallbacks(ctx context.Context, shop, channel string, limit int) ([]rows.CallbackNote, error) {
	return some(ctx, s, limit, scan(rows.CallbackNotes), "SELECT "+noteColumns+
		" FROM callback_notes WHERE shop = $1 AND times = 0 AND ($2 = '' OR channel = $2) ORDER BY at DESC, id DESC LIMIT $3", shop, channel, limit)
}

// RepeatedCallbacks reads how often callbacks about an order were repeated.
func (s *Store) RepeatedCallbacks(ctx context.Context, shop, orderNo string) ([]rows.CallbackNote, error) {
	return some(ctx, s, 0, scan(rows.CallbackNotes), "SELECT "+noteColumns+
		" FROM callback_notes WHERE shop = $1 AND order_no = $2 AND times > 0 ORDER BY at, id", shop, orderNo)
}
