package sqlite

import (
	"context"
	"errors"
	"strings"

	"github.com/tandem-pay/tandem/unit"
)

// Scan reads a whole shop in one snapshot. Rows are handed over as they are
// read; at no time are there more than a few hundred here. While it runs the
// write-ahead log cannot be wound back, so it grows by what is written.
func (s *Store) Scan(ctx context.Context, shop string, to unit.Scan) error {
	return s.snapshot(ctx, func(q query) error {
		for i := range to.Visits {
			v := &to.Visits[i]
			step := visit
			if v.With != nil {
				step = visitFamilies
			}
			if err := step(ctx, q, shop, v); err != nil {
				return err
			}
		}
		return stream(ctx, q, to.Record, scanRecord, "SELECT "+recordColumns+" FROM events WHERE shop = ? ORDER BY position", shop)
	})
}

// visit reads the rows of a kind one by one.
func visit(ctx context.Context, q query, shop string, v *unit.Visit) error {
	k := v.Kind
	r, err := q(ctx, "SELECT "+strings.Join(k.Read(true), ", ")+" FROM "+k.Table+" WHERE shop = ? ORDER BY "+k.Key, shop)
	if err != nil {
		return err
	}
	for err == nil && r.Next() {
		dest, done := v.Row()
		if err = r.Scan(places(dest)...); err == nil {
			err = done()
		}
	}
	return errors.Join(err, r.Err(), r.Close())
}

// visitFamilies reads owners with what they own, a few hundred at a time.
func visitFamilies(ctx context.Context, q query, shop string, v *unit.Visit) error {
	const step = 500
	k, owned := v.Kind, v.With.Info()
	some := " FROM " + k.Table + " WHERE shop = ? AND " + k.Key + " > ? ORDER BY " + k.Key + " LIMIT ?"
	page := "SELECT " + strings.Join(k.Read(false), ", ") + some
	theirs := "SELECT " + strings.Join(owned.Read(false), ", ") + " FROM " + owned.Table + " INDEXED BY " + ownedIndex[owned] +
		" WHERE shop = ? AND " + owned.OwnedBy + " IN (SELECT " + k.Key + some + ")"
	for last := ""; ; {
		owners, belonging := v.NewRows(step)
		if err := fillRows(ctx, q, owners, page, shop, last, step); err != nil || owners.Len() == 0 {
			return err
		}
		if err := fillRows(ctx, q, belonging, theirs, shop, shop, last, step); err != nil {
			return err
		}
		if err := v.Families(owners, belonging); err != nil {
			return err
		}
		last = owners.LastKey()
	}
}

// stream hands rows over one by one.
func stream[D any](ctx context.Context, q query, to func(D) error, scan func(row, *D) error, text string, a ...any) error {
	if to == nil {
		return nil
	}
	return each(ctx, q, scan, to, text, a...)
}
