package unit

import "time"

// SavedKey is an idempotency key with the first answer.
type SavedKey struct {
	Key       string
	Hash      []byte // of the request that the key stands for
	Answer    []byte
	Order     string // the order that the answer is about: the key lives as long
	CreatedAt time.Time
}

// KeyRank is the rank of idempotency keys: they are written before all else,
// and read when everything is locked. What their commands changed is never
// seen without them.
const KeyRank = 0

// Key requests an idempotency key.
func (s *Schema) Key(key string) Need { return s.keys.Keys(key) }

// NewSchema makes a schema with the idempotency keys, which every unit knows.
func NewSchema(table string) (*Schema, *Kind[SavedKey]) {
	s := &Schema{}
	s.keys = Declare(s, Spec[SavedKey]{
		Rank: KeyRank, Table: table, Key: "key", Unlocked: true, // keys are never changed or removed
		Columns: []Column[SavedKey]{
			Text("key", func(k *SavedKey) *string { return &k.Key }),
			Bytes("hash", func(k *SavedKey) *[]byte { return &k.Hash }),
			Bytes("answer", func(k *SavedKey) *[]byte { return &k.Answer }).Heavy(),
			Text("order_no", func(k *SavedKey) *string { return &k.Order }),
			Time("created_at", func(k *SavedKey) *time.Time { return &k.CreatedAt }),
		},
	})
	return s, s.keys
}
