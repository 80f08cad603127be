package format

// Header is channel_messages.header: the header of a callback, with its names
// in order.
var Header = Doc[map[string][]string]{
	Name: "channel_messages.header",
	Encode: func(h *map[string][]string) ([]byte, error) {
		var o out
		if *h == nil {
			o.null()
			return o.done()
		}
		appendMap(&o, *h, (*out).texts)
		return o.done()
	},
	Decode: func(b []byte, h *map[string][]string) error {
		*h = nil
		if b == nil {
			return nil
		}
		return read("channel_messages.header", b, h)
	},
}
