package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/pricing"
)

// TestETags: a read is 304 until what it shows has changed.
func TestETags(t *testing.T) {
	h := open(t)
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	p := h.must("POST /v1/orders/"+no+"/payments", `{"channel":"gate","method":"native"}`)["paymentNo"].(string)
	dated := h.must("POST /v1/coupon-templates", `{"id":"dated","name":"n","kind":"amount_off","amountOff":1,"validDays":1}`)["id"].(string)
	code := h.must("POST /v1/coupon-templates/"+dated+"/claim", `{"userId":"u1"}`)["code"].(string)
	bought, _ := h.paidOrder(oneTea)
	refundNo := h.must("POST /v1/orders/"+bought+"/refunds", `{"amount":88}`)["refundNo"].(string)
	differ := h.differ()
	for _, tt := range []struct {
		read   string
		change string
		body   string
	}{
		{"/v1/shop", "PUT /v1/shop/policies", `{"latePayment":"revive"}`},
		{"/v1/refunds/" + refundNo, "POST /v1/refunds/" + refundNo + "/confirm", `{"reason":"by hand"}`},
		{"/v1/reconciliations/" + differ["date"].(string) + "/gate", "POST /v1/reconciliations", `{"channel":"gate","date":"` + differ["date"].(string) + `"}`},
		{"/v1/discrepancies/" + differ["open"].(string), "POST /v1/discrepancies/" + differ["open"].(string) + "/resolve", `{"reason":"another till"}`},
		{"/v1/skus/tea", "POST /v1/skus/tea/stock", `{"delta":1}`},
		{"/v1/users/u1", "PUT /v1/users/u1", `{"level":"gold"}`},
		{"/v1/promotions/spring", "PUT /v1/promotions/spring", `{"name":"n","kind":"amount_off","threshold":10000,"amountOff":1000}`},
		{"/v1/coupon-templates/five", "POST /v1/coupons", `{"templateId":"five"}`},
		{"/v1/coupons/" + code, "POST /v1/test/clock", `{"advance":"24h"}`},
		{"/v1/payments/" + p, "POST /v1/payments/" + p + "/close", ``},
		{"/v1/orders/" + no, "POST /v1/orders/" + no + "/cancel", ``},
	} {
		t.Run(tt.read, func(t *testing.T) {
			first := h.do("GET "+tt.read, "")
			etag := first.Header().Get("ETag")
			if first.Code != http.StatusOK || etag == "" {
				t.Fatalf("%d %v", first.Code, first.Header())
			}
			for _, have := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
				if w := h.do("GET "+tt.read, "", "If-None-Match: "+have); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != etag {
					t.Errorf("If-None-Match %s: %d %q %v", have, w.Code, w.Body, w.Header())
				}
			}
			h.must(tt.change, tt.body)
			if w := h.do("GET "+tt.read, "", "If-None-Match: "+etag); w.Code != http.StatusOK || w.Header().Get("ETag") == etag {
				t.Errorf("after the change: %d %v", w.Code, w.Header())
			}
		})
	}
}

// TestLongPoll: held until the order changes, the time is over, or the
// server drains; not held when the caller is behind already.
func TestLongPoll(t *testing.T) {
	draining := make(chan struct{})
	h := open(t, func(o *api.Options) { o.Draining = draining })
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	read := func(wait, etag string) (status int, took time.Duration) {
		start := time.Now()
		w := h.do("GET /v1/orders/"+no+"?wait="+wait, "", "If-None-Match: "+etag)
		return w.Code, time.Since(start)
	}
	if status, took := read("300ms", `"1"`); status != http.StatusNotModified || took < 300*time.Millisecond {
		t.Errorf("nothing happened: %d after %s", status, took)
	}
	if status, took := read("30s", `"0"`); status != http.StatusOK || took > time.Second {
		t.Errorf("behind: %d after %s", status, took)
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		h.do("POST /v1/orders/"+no+"/cancel", "")
	}()
	if status, took := read("30s", `"1"`); status != http.StatusOK || took > 5*time.Second {
		t.Errorf("cancelled meanwhile: %d after %s", status, took)
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		close(draining)
	}()
	if status, took := read("30s", `"2"`); status != http.StatusNotModified || took > 5*time.Second {
		t.Errorf("draining: %d after %s", status, took)
	}
	wantCode(t, h.do("GET /readyz", ""), 503, "unavailable")
	if w := h.do("GET /readyz", ""); w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// recorder is a Waiter that notes what it waits for.
type recorder struct{ shop, no string }

func (w *recorder) Wait(ctx context.Context, shop, no string, _ int64) error {
	w.shop, w.no = shop, no
	_, bounded := ctx.Deadline()
	if !bounded {
		panic("nobody waits for ever")
	}
	return nil
}

// TestWaiter: with a Waiter it is called, with the order's own seq.
func TestWaiter(t *testing.T) {
	w := &recorder{}
	h := open(t, func(o *api.Options) { o.Waiter = w })
	h.stock()
	no := h.must("POST /v1/orders", oneTea)["orderNo"].(string)
	if got := h.do("GET /v1/orders/"+no+"?wait=10m", "", `If-None-Match: "1"`); got.Code != http.StatusNotModified || w.no != no || w.shop != "default" {
		t.Errorf("%d %+v", got.Code, w)
	}
}

// TestPages: a list in pages is the list, newest first for orders, and the
// feed goes on where it stopped.
func TestPages(t *testing.T) {
	h := open(t)
	h.stock()
	var placed []string
	for range 5 {
		h.must("POST /v1/test/clock", `{"advance":"2ms"}`) // numbers sort by the millisecond
		placed = append([]string{h.must("POST /v1/orders", oneTea)["orderNo"].(string)}, placed...)
	}
	var listed []string
	for cursor, more := "", true; more; {
		page := h.must("GET /v1/orders?limit=2&cursor="+cursor, "")
		for _, o := range page["items"].([]any) {
			listed = append(listed, o.(map[string]any)["orderNo"].(string))
		}
		cursor, more = page["nextCursor"].(string)
	}
	if strings.Join(listed, " ") != strings.Join(placed, " ") {
		t.Errorf("listed %v, placed %v", listed, placed)
	}

	seen := map[string]bool{}
	orders := 0
	for after, more := "", true; more; {
		page := h.must("GET /v1/events?limit=3&after="+after, "")
		for _, e := range page["items"].([]any) {
			e := e.(map[string]any)
			if id := e["id"].(string); seen[id] {
				t.Errorf("%s twice", id)
			} else {
				seen[id] = true
			}
			if e["type"] == "order.placed" {
				orders++
			}
		}
		after, more = page["nextCursor"].(string), len(page["items"].([]any)) > 0
	}
	if orders != 5 {
		t.Errorf("%d orders in the feed", orders)
	}
}

// TestCouponPages: what has run out neither fills a page nor shortens it.
func TestCouponPages(t *testing.T) {
	h := open(t)
	h.must("POST /v1/coupon-templates", `{"id":"old","name":"n","kind":"amount_off","amountOff":1,"validDays":1}`)
	h.must("POST /v1/coupon-templates", `{"id":"new","name":"n","kind":"amount_off","amountOff":1}`)
	h.must("POST /v1/coupons", `{"templateId":"old","userId":"u1","codes":["A1","A2","A3","C1","C2","E1"]}`)
	h.must("POST /v1/coupons", `{"templateId":"new","userId":"u1","codes":["B1","B2","D1"]}`)
	h.must("POST /v1/test/clock", `{"advance":"25h"}`)
	for status, want := range map[string]string{"available": "B1 B2|D1", "expired": "A1 A2|A3 C1|C2 E1", "": "A1 A2|A3 B1|B2 C1|C2 D1|E1"} {
		var pages []string
		for cursor, more := "", true; more; {
			path := "GET /v1/users/u1/coupons?limit=2&cursor=" + cursor
			if status != "" {
				path += "&status=" + status
			}
			page := h.must(path, "")
			var codes []string
			for _, c := range page["items"].([]any) {
				codes = append(codes, c.(map[string]any)["code"].(string))
			}
			if len(codes) > 0 {
				pages = append(pages, strings.Join(codes, " "))
			}
			cursor, more = page["nextCursor"].(string)
		}
		if got := strings.Join(pages, "|"); got != want {
			t.Errorf("%q: %s, want %s", status, got, want)
		}
	}
}

// TestPromotionKinds: a form is made from what pricing says of itself, whole.
func TestPromotionKinds(t *testing.T) {
	h := open(t)
	var got struct{ Items []pricing.KindInfo }
	if err := json.Unmarshal(h.do("GET /v1/promotion-kinds", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if want := pricing.Kinds(); !reflect.DeepEqual(got.Items, want) {
		t.Errorf("got %+v\nwant %+v", got.Items, want)
	}
}
