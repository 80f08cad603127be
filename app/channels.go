package app

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// ChannelKind is a protocol that channels can be configured for: the one
// line of wiring that a new channel takes.
type ChannelKind struct {
	Kind string
	// Settings describe the settings in Markdown, one each: for documentation.
	Settings []string
	// Check refuses settings that cannot work, naming fields by JSON pointer.
	Check func(settings json.RawMessage) error
	// Mask is the settings with secrets replaced, for reading.
	Mask func(settings json.RawMessage) (json.RawMessage, error)
	// Open makes the channel. It calls nothing outside.
	Open func(settings json.RawMessage) (Configured, error)
}

// Sealer encrypts settings at rest.
type Sealer interface {
	Seal(plain []byte, place string) ([]byte, error)
	Open(sealed []byte, place string) ([]byte, error)
}

// ChannelBook finds, opens and keeps the channels of all shops. It is an
// app.Channels. A change made by another instance is seen within channelFresh.
type ChannelBook struct {
	Store  Settings
	Sealer Sealer
	Kinds  []ChannelKind

	mu   sync.Mutex
	open map[string]*openChannel
}

const channelFresh = 2 * time.Second

type openChannel struct {
	version int64
	ch      Configured
	checked time.Time // wall clock
}

func place(shop, name string) string { return "channel/" + shop + "/" + name }

// Channel returns the shop's channel of that name, ready for use.
func (b *ChannelBook) Channel(ctx context.Context, shopID, name string) (Configured, error) {
	key := place(shopID, name)
	b.mu.Lock()
	have := b.open[key]
	b.mu.Unlock()
	if have != nil && time.Since(have.checked) < channelFresh {
		return have.ch, nil
	}
	row, err := b.Store.ChannelRow(ctx, shopID, name)
	if fault.Is(err, fault.NotFound) {
		return Configured{}, fault.New(fault.ChannelNotConfigured,
			"shop %s has no channel %q; PUT /v1/channels/%s sets it up", shopID, name, name)
	}
	if err != nil {
		return Configured{}, err
	}
	next := &openChannel{version: row.Version, checked: time.Now()}
	if have != nil && have.version == row.Version {
		next.ch = have.ch
	} else {
		settings, err := b.Sealer.Open(row.Sealed, key)
		if err != nil {
			return Configured{}, err
		}
		kind, err := b.kind(row.Kind)
		if err != nil {
			return Configured{}, err
		}
		if next.ch, err = kind.Open(settings); err != nil {
			return Configured{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = map[string]*openChannel{}
	}
	b.open[key] = next
	return next.ch, nil
}

func (b *ChannelBook) kind(kind string) (*ChannelKind, error) {
	i := slices.IndexFunc(b.Kinds, func(k ChannelKind) bool { return k.Kind == kind })
	if i < 0 {
		names := make([]string, len(b.Kinds))
		for i := range b.Kinds {
			names[i] = b.Kinds[i].Kind
		}
		return nil, fault.Invalidf("/kind", "must be one of %v", names)
	}
	return &b.Kinds[i], nil
}

// Settings are a channel's settings with their secrets masked.
func (b *ChannelBook) Settings(ctx context.Context, shopID, name string) (json.RawMessage, error) {
	row, err := b.Store.ChannelRow(ctx, shopID, name)
	if err != nil {
		return nil, err
	}
	settings, err := b.Sealer.Open(row.Sealed, place(shopID, name))
	if err != nil {
		return nil, err
	}
	kind, err := b.kind(row.Kind)
	if err != nil {
		return nil, err
	}
	return kind.Mask(settings)
}

// Each calls f with the settings of every channel of a shop, by name, secrets
// included. It ends with f's first error.
func (b *ChannelBook) Each(ctx context.Context, shopID string, f func(name string, settings json.RawMessage) error) error {
	rows, err := b.Store.ListChannels(ctx, shopID)
	if err != nil {
		return err
	}
	for i := range rows {
		settings, err := b.Sealer.Open(rows[i].Sealed, place(shopID, rows[i].Name))
		if err != nil {
			return err
		}
		if err := f(rows[i].Name, settings); err != nil {
			return err
		}
	}
	return nil
}

// PutChannel checks, seals and stores a channel's settings: the JSON of its
// kind, with the member "kind".
func (a *App) PutChannel(ctx context.Context, book *ChannelBook, shopID, name string, settings json.RawMessage) (json.RawMessage, error) {
	return a.putChannel(ctx, book, shopID, name, settings, func(*rows.Channel) bool { return true })
}

// FillChannel is PutChannel for a channel that has no settings yet. One that
// has some keeps them, whatever they are.
func (a *App) FillChannel(ctx context.Context, book *ChannelBook, shopID, name string, settings json.RawMessage) error {
	_, err := a.putChannel(ctx, book, shopID, name, settings, func(have *rows.Channel) bool { return have == nil })
	return err
}

// putChannel stores the settings if may, called with what is stored (nil:
// nothing), allows it.
func (a *App) putChannel(
	ctx context.Context, book *ChannelBook, shopID, name string, settings json.RawMessage, may func(*rows.Channel) bool,
) (json.RawMessage, error) {
	if err := shop.CheckID("/channel", name); err != nil {
		return nil, err
	}
	var head struct{ Kind string }
	if err := json.Unmarshal(settings, &head); err != nil {
		return nil, fault.Invalidf("", "the body is not a JSON object")
	}
	kind, err := book.kind(head.Kind)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(book.Kinds, func(k ChannelKind) bool { return k.Kind == name }); i >= 0 && name != head.Kind {
		return nil, fault.Invalidf("/kind", "the channel %s is of the kind %s; give settings of the kind %s another name", name, name, head.Kind)
	}
	if err := kind.Check(settings); err != nil {
		return nil, err
	}
	sealed, err := book.Sealer.Seal(settings, place(shopID, name))
	if err != nil {
		return nil, err
	}
	_, err = Run(ctx, a, &Command{
		Shop: shopID, Name: "put channel", Trace: a.Tracer.Parent(ctx), Needs: Needs{rows.Channels.Keys(name)},
	}, func(tx *Tx) error {
		row, err := tx.Channel(name)
		if err != nil {
			return err
		}
		if !may(row) {
			return nil
		}
		if row == nil {
			row = &rows.Channel{Name: name}
		}
		row.Kind, row.Sealed, row.UpdatedAt = head.Kind, sealed, tx.Now()
		tx.PutChannel(row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	book.mu.Lock()
	delete(book.open, place(shopID, name))
	book.mu.Unlock()
	return kind.Mask(settings)
}
