package format

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-pay/tandem/event"
	"github.com/tandem-pay/tandem/inventory"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/order"
	"github.com/tandem-pay/tandem/payment"
	"github.com/tandem-pay/tandem/pricing"
	"github.com/tandem-pay/tandem/reconcile"
	"github.com/tandem-pay/tandem/shop"
)

// kind is a kind of document under test.
type kind struct {
	name    string
	golden  func(t *testing.T)
	random  func(t *rapid.T)
	decode  func(b []byte) error
	again   func(b []byte) ([]byte, error) // reads it and writes it
	of      reflect.Type
	holds   []string // top-level fields that are in the document
	samples []string
}

// a is a kind of document: the fields of D that it holds ("" for all but
// those that are not in it), and those below them that are not stored.
func a[D any](doc Doc[D], holds, not string, samples map[string]D) kind {
	k := kind{name: doc.Name, of: reflect.TypeFor[D](), holds: strings.Fields(holds)}
	for s := range samples {
		k.samples = append(k.samples, s)
	}
	lost := strings.Fields(not)
	k.again = func(b []byte) ([]byte, error) {
		var d D
		if err := doc.Decode(b, &d); err != nil {
			return nil, err
		}
		return doc.Encode(&d)
	}
	k.decode = func(b []byte) error {
		_, err := k.again(b)
		return err
	}
	stored := func(d D) D {
		v := reflect.ValueOf(&d).Elem()
		if holds != "" {
			for i := range v.NumField() {
				if !slices.Contains(k.holds, v.Type().Field(i).Name) {
					v.Field(i).SetZero()
				}
			}
		}
		for _, path := range lost {
			drop(v, strings.Split(path, "."))
		}
		return d
	}
	k.golden = func(t *testing.T) {
		for name, d := range samples {
			want, err := os.ReadFile(filepath.Join("testdata", doc.Name, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			want = bytes.TrimSuffix(want, []byte("\n"))
			got, err := doc.Encode(&d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is written otherwise:\n%s", name, diff)
			}
			var back D
			if err := doc.Decode(want, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(stored(d), back); diff != "" {
				t.Errorf("%s means something else:\n%s", name, diff)
			}
		}
	}
	k.random = func(t *rapid.T) {
		var d, back D
		fill(t, reflect.ValueOf(&d).Elem(), rapid.Bool().Draw(t, "full"))
		for _, path := range lost {
			drop(reflect.ValueOf(&d).Elem(), strings.Split(path, "."))
		}
		b, err := doc.Encode(&d)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Decode(b, &back); err != nil {
			t.Fatalf("%s\n%v", b, err)
		}
		if diff := cmp.Diff(stored(d), back); diff != "" {
			t.Fatalf("%s\n%s", b, diff)
		}
		if again, err := doc.Encode(&back); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%s\nis then\n%s %v", b, again, err)
		}
	}
	return k
}

// drop zeroes the field at a path, of every element on the way.
func drop(v reflect.Value, path []string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			drop(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			drop(v.Index(i), path)
		}
	default:
		if f := v.FieldByName(path[0]); len(path) == 1 {
			f.SetZero()
		} else {
			drop(f, path[1:])
		}
	}
}

// fill draws a value; full has something in every field, so that one which is
// forgotten cannot hide.
func fill(t *rapid.T, v reflect.Value, full bool) {
	absent := func() bool { return !full && rapid.Bool().Draw(t, "absent") }
	switch v.Interface().(type) {
	case time.Time:
		if !absent() {
			v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(-1e9, 1e11).Draw(t, "s"), rapid.Int64Range(1, 999_999_999).Draw(t, "ns")).UTC()))
		}
		return
	case json.RawMessage:
		if !absent() {
			v.SetBytes([]byte(`{"matched":3}`))
		}
		return
	case money.Percent:
		v.SetInt(rapid.Int64Range(1, 10_000).Draw(t, "percent"))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if !absent() {
			v.SetString("x" + rapid.StringN(0, 5, -1).Draw(t, "text"))
		}
	case reflect.Int, reflect.Int64:
		if !absent() {
			v.SetInt(rapid.Int64().Filter(func(n int64) bool { return n != 0 }).Draw(t, "number"))
		}
	case reflect.Bool:
		v.SetBool(full || rapid.Bool().Draw(t, "flag"))
	case reflect.Pointer:
		if !absent() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), full)
		}
	case reflect.Slice:
		if absent() {
			return
		}
		n := rapid.IntRange(1, 2).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), full)
		}
	case reflect.Map:
		if absent() {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(1, 2).Draw(t, "size") {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, full)
			fill(t, value, full)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), full)
		}
	default:
		t.Fatalf("no values of %s are known here", v.Type())
	}
}

// kinds are all documents. A field of the domain that is in none of its
// documents, nor named here as a column or as not stored, fails TestDocuments
// or TestColumns: decide where it goes.
var kinds = []kind{
	a(OrderSnapshot, "Items Applied Basis Coupons Counts Metadata", "Applied.Limited", map[string]order.Data{"full": fullOrder(), "plain": plainOrder(), "draft": draftOrder()}),
	a(OrderExtra, "Returns Plan GoodsAt GoodsGone Draft SubmittedAt EndedBy Kept UnitsBack Undone LimitsBack", "",
		map[string]order.Data{"full": fullOrder(), "draft": draftOrder(), "ended": endedOrder()}),
	a(PaymentDetail, "Request Action Facts", "", map[string]payment.Data{"full": fullPayment(), "plain": plainPayment()}),
	a(RefundDetail, "Reason Lines Allocations Restock", "", map[string]payment.RefundData{"full": fullRefund(), "plain": {}, "restock": {Restock: payment.RestockNone}}),
	a(Promotion, "", "Version", map[string]pricing.Promotion{"full": fullPromotion(), "plain": plainPromotion()}),
	a(Template, "", "Issued Version", map[string]marketing.Template{"full": fullTemplate(), "plain": plainTemplate()}),
	a(Policies, "", "", map[string]shop.Policies{"full": fullPolicies(), "one": {RefundSplit: "newest_first"}, "limits": {RefundedLimits: shop.KeepLimits}}),
	a(Tags, "Tags", "", map[string]shop.User{"full": fullUser(), "none": {}}),
	a(Categories, "Categories", "", map[string]inventory.Data{"full": fullSku(), "none": {Categories: []string{}}}),
	a(Events, "", "", map[string][]event.Event{"full": fullEvents(), "decided": {{Type: event.OrderRefunded, Decided: true}}}),
	a(Header, "", "", map[string]map[string][]string{}),
	a(Summary, "", "", map[string]reconcile.Summary{"full": fullSummary()}),

	a(OrderAnswer, "", "Basis Applied.Limited", map[string]order.Data{"full": fullOrder(), "plain": plainOrder(), "draft": draftOrder(), "ended": endedOrder()}),
	a(PaymentAnswer, "", "", map[string]payment.Data{"full": fullPayment(), "plain": plainPayment()}),
	a(RefundAnswer, "", "", map[string]payment.RefundData{"full": fullRefund(), "plain": {No: "3", CreatedAt: then}, "restock": {No: "3", CreatedAt: then, Restock: payment.RestockLines}}),
	a(SkuAnswer, "", "", map[string]inventory.Data{"full": fullSku()}),
	a(PromotionAnswer, "", "", map[string]pricing.Promotion{"full": fullPromotion()}),
	a(TemplateAnswer, "", "", map[string]marketing.Template{"full": fullTemplate(), "plain": plainTemplate()}),
	a(CouponAnswer, "", "", map[string]marketing.CouponData{"full": fullCoupon()}),
	a(CouponsAnswer, "", "", map[string][]marketing.CouponData{"full": {fullCoupon(), {Code: "C2"}}}),
	a(CodesAnswer, "", "", map[string][]string{"full": {"C1", "C2"}}),
	a(DiscrepancyAnswer(itself[discrepancy], itself[discrepancy]), "", "", map[string]discrepancy{"full": {
		ID: "d", Channel: "wx", Day: "2026-11-22", Class: "fee", PaymentNo: "2", RefundNo: "3", TransactionID: "42", Ours: 1, Theirs: 2, Detail: odd,
		Status: "resolved", Resolution: "r", CreatedAt: then, ResolvedAt: then, Version: 1,
	}}),
	a(ReconciliationAnswer(itself[reconciliation], itself[reconciliation]), "", "", map[string]reconciliation{
		"full":   {ID: "2026-11-22/wx", Channel: "wx", Day: "2026-11-22", Status: "done", Runs: 2, StartedAt: then, FinishedAt: then, Error: "e", Summary: []byte(`{"matched":3}`), Version: 1},
		"failed": {ID: "2026-11-22/wx", Channel: "wx", Day: "2026-11-22", Status: "failed", Runs: 1, StartedAt: then, FinishedAt: then, Error: "e"},
	}),
	a(RevocationAnswer(itself[Revocation], itself[Revocation]), "", "", map[string]Revocation{"full": {Revoked: 3, NextCursor: "C"}}),
}

type (
	discrepancy    = Discrepancy[string]
	reconciliation = Reconciliation[string]
)

func itself[T any](v T) T { return v }

// columns are the fields of rows that have columns of their own, or are
// derived.
var columns = map[reflect.Type]string{
	reflect.TypeFor[order.Data](): "No User Status Currency Total Discount Payable Paid Refunded Refunding RemindAt CreatedAt ExpiresAt PaidAt ClosedAt CloseReason Closing Seq Trace",
	reflect.TypeFor[payment.Data](): "No Order Channel Method Amount Currency Status Applied Refunded Refunding Merchant App Anomaly TransactionID " +
		"CreatedAt ExpiresAt SucceededAt ClosedAt NextQueryAt Queries Trace Version",
	reflect.TypeFor[payment.RefundData](): "No Order Cause Amount Currency Status CreatedAt DoneAt NextTryAt Tries Trace Version",
	reflect.TypeFor[shop.User]():          "ID Level Blocked Version",
	reflect.TypeFor[inventory.Data]():     "Sku Name Price OnHand Reserved MaxPerUser Version",
}

func TestGolden(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, k.golden)
	}
}

// TestDocuments: whatever a document holds comes back as it was.
func TestDocuments(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { rapid.Check(t, k.random) })
	}
}

// TestColumns: every field of a row is in a document or has a column.
func TestColumns(t *testing.T) {
	for row, named := range columns {
		has := strings.Fields(named)
		for _, k := range kinds {
			if k.of == row {
				has = append(has, k.holds...)
			}
		}
		for i := range row.NumField() {
			if name := row.Field(i).Name; !slices.Contains(has, name) {
				t.Errorf("%s.%s is stored nowhere: give it a place in a document, or a column, and name it here", row, name)
			}
		}
	}
}

// TestEveryFileIsRead: no file in testdata is without its value.
func TestEveryFileIsRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, sample := filepath.Base(filepath.Dir(f)), strings.TrimSuffix(filepath.Base(f), ".json")
		if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name }); i < 0 || !slices.Contains(kinds[i].samples, sample) {
			t.Errorf("nothing says what %s means", f)
		}
	}
}

// elsewhere are the documents that are not written here: those of the jobs are
// River's and of store/job, and those of the history are promotions and
// templates.
var elsewhere = []string{"river_job.args", "river_job.errors", "river_job.metadata", "rule_history.doc"}

// TestReleases: what releases wrote is read, and written again byte by byte.
func TestReleases(t *testing.T) {
	folders, err := filepath.Glob("../internal/releases/testdata/*/documents/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no documents of releases: ", err)
	}
	for _, folder := range folders {
		name := filepath.Base(folder)
		if name == "exchanges.header" { // the table's former name
			name = Header.Name
		}
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if i < 0 && name != "idempotency_keys.answer" {
			if !slices.Contains(elsewhere, name) {
				t.Errorf("no format reads %s", folder)
			}
			continue
		}
		files, err := filepath.Glob(folder + "/*.json")
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, f := range files {
			want, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			want = bytes.TrimSuffix(want, []byte("\n"))
			if name == "idempotency_keys.answer" {
				if !answers(want) {
					t.Errorf("%s is no answer that is read here:\n%s", f, want)
				}
			} else if got, err := kinds[i].again(want); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %v\n%s\nis then\n%s", f, err, want, got)
			}
		}
	}
}

// answers says whether a kind of answer is written as it is read; which it is
// stands nowhere. null is the answer of what has none.
func answers(b []byte) bool {
	return string(b) == "null" || slices.ContainsFunc(kinds, func(k kind) bool {
		got, err := k.again(b)
		return strings.HasPrefix(k.name, "answer.") && err == nil && bytes.Equal(got, b)
	})
}

// TestAppended: what is appended by hand is what encoding/json writes.
func TestAppended(t *testing.T) {
	for _, c := range []struct {
		name string
		same func(t *rapid.T)
	}{
		{"orders.snapshot", appendedAs(OrderSnapshot, new(snapshot))},
		{"payments.detail", appendedAs(PaymentDetail, new(detail))},
		{"events.body", appendedAs(Events, new([]occurrence))},
		{"answer.order", appendedAs(OrderAnswer, new(orderAnswer))},
		{"answer.payment", appendedAs(PaymentAnswer, new(paymentAnswer))},
	} {
		t.Run(c.name, func(t *testing.T) { rapid.Check(t, c.same) })
	}
}

func appendedAs[D, S any](doc Doc[D], _ *S) func(t *rapid.T) {
	return func(t *rapid.T) {
		var d D
		fill(t, reflect.ValueOf(&d).Elem(), rapid.Bool().Draw(t, "full"))
		empties(t, reflect.ValueOf(&d).Elem())
		got, err := doc.Encode(&d)
		if err != nil {
			t.Fatal(err)
		}
		var s S
		if err := json.Unmarshal(got, &s); err != nil {
			t.Fatalf("%s\n%v", got, err)
		}
		if want, err := json.Marshal(s); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s\nencoding/json: %s %v", got, want, err)
		}
	}
}

// empties makes some lists and maps empty: that is not the same as nil, where
// it is written.
func empties(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() > 0 && rapid.Bool().Draw(t, "empty") {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			empties(t, v.Index(i))
		}
	case reflect.Map:
		if v.Len() > 0 && rapid.Bool().Draw(t, "empty") {
			v.Set(reflect.MakeMap(v.Type()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			empties(t, v.Elem())
		}
	case reflect.Struct:
		if _, moment := v.Interface().(time.Time); moment {
			return
		}
		for i := range v.NumField() {
			empties(t, v.Field(i))
		}
	}
}

// TestRefused: what a later release wrote, or nobody, is refused.
func TestRefused(t *testing.T) {
	for _, k := range kinds {
		for _, doc := range []string{"", "{", "7", `{"v":2}`} {
			if err := k.decode([]byte(doc)); err == nil || !strings.Contains(err.Error(), k.name) {
				t.Errorf("%s of %q: %v", k.name, doc, err)
			}
		}
	}
}

// TestRuleChange: the history holds promotions, templates, and ends.
func TestRuleChange(t *testing.T) {
	p, q := fullPromotion(), fullTemplate()
	for name, c := range map[string]struct {
		change, room, want marketing.RuleChange
		as                 string
	}{
		"a promotion": {marketing.RuleChange{Promotion: &p}, marketing.RuleChange{Promotion: &pricing.Promotion{}}, marketing.RuleChange{Promotion: &p}, "promotions.doc"},
		"a template":  {marketing.RuleChange{Template: &q}, marketing.RuleChange{Template: &marketing.Template{}}, marketing.RuleChange{Template: &q}, "coupon_templates.doc"},
		"an end":      {marketing.RuleChange{}, marketing.RuleChange{Promotion: &pricing.Promotion{}}, marketing.RuleChange{}, ""},
	} {
		b, err := RuleChange.Encode(&c.change)
		if err != nil {
			t.Fatal(name, err)
		}
		if want, _ := os.ReadFile(filepath.Join("testdata", c.as, "full.json")); string(bytes.TrimSpace(want)) != string(b) {
			t.Errorf("%s is %s", name, b)
		}
		if err := RuleChange.Decode(b, &c.room); err != nil {
			t.Fatal(name, err)
		}
		if c.room.Promotion != nil {
			c.room.Promotion.Version = p.Version
		}
		if c.room.Template != nil {
			c.room.Template.Version, c.room.Template.Issued = q.Version, q.Issued
		}
		if diff := cmp.Diff(c.want, c.room); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}
