package storetest

import (
	"time"

	"github.com/tandem-pay/tandem/rows"
	"github.com/tandem-pay/tandem/unit"
)

// testNotes: what is noted of callbacks is read by channel, newest first, and
// by order.
func testNotes(e *env) {
	old := rows.CallbackNote{ID: "refused/wx/1", Channel: "wx", Stage: "signature", At: now, Version: 1}
	fresh := rows.CallbackNote{ID: "refused/ali/1", Channel: "ali", Stage: "size", At: now.Add(time.Second), Version: 1}
	repeat := rows.CallbackNote{ID: "repeats/wx/2001", Channel: "wx", Order: "1001", Payment: "2001", At: now, Times: 2, Version: 1}
	e.commitWrites(e.shop, unit.Writes(rows.CallbackNotes, Added(old)...))
	e.commitWrites(e.shop, unit.Writes(rows.CallbackNotes, Added(fresh)...))
	e.commitWrites(e.shop, unit.Writes(rows.CallbackNotes, Added(repeat)...))
	for _, tt := range []struct {
		channel string
		limit   int
		want    []rows.CallbackNote
	}{
		{"", 10, []rows.CallbackNote{fresh, old}},
		{"", 1, []rows.CallbackNote{fresh}},
		{"wx", 10, []rows.CallbackNote{old}},
		{"other", 10, nil},
	} {
		got, err := e.RefusedCallbacks(e.Context(), e.shop, tt.channel, tt.limit)
		e.must(err)
		e.same("refused of "+tt.channel, len(tt.want), len(got))
		for i := range min(len(got), len(tt.want)) {
			e.same("refused of "+tt.channel, tt.want[i], got[i])
		}
	}
	got, err := e.RepeatedCallbacks(e.Context(), e.shop, "1001")
	e.must(err)
	e.same("repeats", []rows.CallbackNote{repeat}, got)
}
