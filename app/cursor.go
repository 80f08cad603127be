package app

import (
	"context"
	"errors"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/fault"
)

// FormerPositions finds where a record is now that an earlier release placed
// elsewhere.
type FormerPositions interface {
	FormerPosition(ctx context.Context, shop string, f event.Former) (event.Position, error)
}

// ParseCursor reads a place in a shop's log as clients keep it: a position,
// or what an earlier release wrote for one. field is what a refusal names.
func ParseCursor(ctx context.Context, log FormerPositions, shop, field, text string) (event.Position, error) {
	if p, err := event.ParsePosition(text); err == nil {
		return p, nil
	}
	f, ok := event.ParseFormer(text)
	if !ok {
		return 0, fault.Invalidf(field, "must be a position that this feed gave")
	}
	p, err := log.FormerPosition(ctx, shop, f)
	var e *fault.Error
	if errors.As(err, &e) && e.Code == fault.NotFound {
		return 0, fault.Invalidf(field, "is of an earlier release, and no record of the log was there; read on from the beginning (no %s), "+
			"or from the end", field)
	}
	return p, err
}
