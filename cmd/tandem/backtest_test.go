package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/backtest"
)

// TestBacktestCommand: orders of 10.00 placed over HTTP, two paid and one
// closed, and the three reports about them. Each had 5% off and would have 10%
// instead: 0.50 less to pay.
func TestBacktestCommand(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		var cfg serveCmd
		sv := serve(t, func(c *serveCmd) {
			change(c)
			cfg = *c
		})
		c := sv.client(t)
		c.shop()
		c.must(200, "PUT", "/v1/users/u1", obj{"level": "<gold>"})
		c.must(201, "POST", "/v1/promotions", obj{"id": "live", "name": "5% & more", "kind": "percent_off", "percentOff": 5, "exclusiveGroup": "g"})
		for key, coupons := range map[string][]string{"k1": {}, "k2": {"C1"}} {
			no, _ := c.order(key, coupons...)
			if err := sv.sandbox.Pay(c.pay(no, "pay-"+key)); err != nil {
				t.Fatal(err)
			}
			c.until(no, "paid")
		}
		closed, _ := c.order("k9", []string{}...)
		c.must(200, "POST", "/v1/orders/"+closed+"/cancel", nil)
		day := time.Now().UTC()
		days := []string{"--from", day.AddDate(0, 0, -1).Format(time.DateOnly), "--to", day.AddDate(0, 0, 1).Format(time.DateOnly)}

		dir := t.TempDir()
		file, page := filepath.Join(dir, "promotion.json"), filepath.Join(dir, "page.html")
		write := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		where := []string{"--data", cfg.Data}
		if cfg.DB != "" {
			where = append(where, "--db", cfg.DB)
		}
		tested := func(want int, args ...string) (string, string) {
			t.Helper()
			var out, fails bytes.Buffer
			if code := run(t.Context(), append(append([]string{"backtest"}, args...), where...), streams{&out, &fails}); code != want {
				t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, out.String(), fails.String())
			}
			return out.String(), fails.String()
		}
		write(`{"name": "全场九折 <b>", "kind": "percent_off", "percentOff": 10, "exclusiveGroup": "g", "budget": 1000}`)
		of := append([]string{"--promotion", file}, days...)
		table, _ := tested(0, append(of, "--html", page)...)
		for _, want := range []string{
			"全场九折 <b>", "priced again +3 +2 +0 +1 +0", "touched +3 +2 +0 +1 +0", `cost +1.00 over paid orders \(1.50 over all that were placed\)`, "given +2.00 by",
			"budget +2.00 of 10.00, never reached", "<gold> +2 +1.00", "u1 +2 +1.00", "live +5% & more +2 +2 +1.00 +exclusive_group 2", `orders in [0-9.]+ s: \d+ a second`,
		} {
			if !regexp.MustCompile(want).MatchString(table) {
				t.Errorf("the table has no %q:\n%s", want, table)
			}
		}
		answer, _ := tested(0, append(of, "--json")...)
		var r backtest.Report
		if err := json.Unmarshal([]byte(answer), &r); err != nil || r.Cost != 100 || r.Exposure != 150 || r.Given != 200 || len(r.Days) != 3 || r.Promotion.ID != backtest.DraftID {
			t.Errorf("%v\n%s", err, answer)
		}
		html, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"全场九折 &lt;b&gt;", "&lt;gold&gt;", "5% &amp; more", "让利", "Cost by day", "互斥组中不敌", "<polyline"} {
			if !bytes.Contains(html, []byte(want)) {
				t.Errorf("the page has no %q", want)
			}
		}
		wellFormed(t, html)

		for _, tt := range []struct {
			name, promotion string
			args            []string
			code            int
			words           string
		}{
			{"no file", "", append([]string{"--promotion", file + "x"}, days...), 2, "no such file"},
			{"no JSON", "{", of, 2, "unexpected EOF"},
			{"a list", "[{}]", of, 2, "one promotion"},
			{"an unknown member", `{"name":"x","kind":"percent_off","percentOff":10,"percent":1}`, of, 2, `unknown field "percent"`},
			{"more after it", `{"name":"x","kind":"percent_off","percentOff":10} {}`, of, 2, "after the promotion"},
			{"members at fault", `{"kind":"percent_off"}`, of, 2, "/percentOff: is required"},
			{"another time", `{"name":"x","kind":"percent_off","percentOff":10,"startsAt":"2100-01-01T00:00:00Z"}`, of, 2, "outside of the period"},
			{"another time, left out", `{"name":"x","kind":"percent_off","percentOff":10,"startsAt":"2100-01-01T00:00:00Z"}`, append(of, "--any-time"), 0, ""},
			{"days the wrong way", `{"name":"x","kind":"percent_off","percentOff":10}`, []string{"--promotion", file, "--from", "2026-11-02", "--to", "2026-11-01"}, 2, "before"},
			{"no day", `{"name":"x","kind":"percent_off","percentOff":10}`, []string{"--promotion", file, "--from", "2026-11-31", "--to", "2026-12-01"}, 2, "--from"},
			{"no zone", `{"name":"x","kind":"percent_off","percentOff":10}`, append(of, "--zone", "Mars/Base"), 2, "--zone"},
			{"a zone", `{"name":"x","kind":"percent_off","percentOff":10}`, append(of, "--zone", "Asia/Shanghai"), 0, ""},
			{"no shop", `{"name":"x","kind":"percent_off","percentOff":10}`, append(of, "--shop", "none"), 1, "none"},
			{"no flags", "{}", nil, 2, "--promotion"},
		} {
			write(tt.promotion)
			if _, fails := tested(tt.code, tt.args...); !strings.Contains(fails, tt.words) {
				t.Errorf("%s: %s", tt.name, fails)
			}
		}
		audited(t, sv.db)
	})
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(file, []byte(`{"name":"x","kind":"percent_off","percentOff":10}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"backtest", "--promotion", file, "--from", "2026-11-01", "--to", "2026-11-01", "--data", t.TempDir()}, streams{&out, &out}); code != 1 || !strings.Contains(out.String(), "no database") {
		t.Errorf("without a database: exit %d, %s", code, out.String())
	}
}

// wellFormed demands that every element is closed, and that the page needs
// nothing from outside.
func wellFormed(t *testing.T, page []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			for _, a := range e.Attr {
				if name := a.Name.Local; name == "src" || name == "href" || strings.HasPrefix(name, "on") {
					t.Errorf("<%s %s=%q>", e.Name.Local, name, a.Value)
				}
			}
			if e.Name.Local == "script" {
				t.Error("a script")
			}
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 || bytes.Contains(page, []byte("ZgotmplZ")) {
		t.Errorf("%d elements are open, or a value was refused", depth)
	}
}

// TestAxis: every amount is between the ends of its axis, which has a few
// round steps and 0 among them.
func TestAxis(t *testing.T) {
	for _, tt := range []struct{ low, high, from, to, step int64 }{
		{0, 0, 0, 1, 1}, {0, 7, 0, 8, 2}, {0, 100, 0, 100, 50}, {0, 101, 0, 150, 50}, {-30, 70, -50, 100, 50}, {-5, 0, -6, 2, 2}, {0, 123_456_789, 0, 150_000_000, 50_000_000},
	} {
		if a, step := newAxis(tt.low, tt.high); a.low != tt.from || a.high != tt.to || step != tt.step {
			t.Errorf("%d to %d: from %d to %d by %d", tt.low, tt.high, a.low, a.high, step)
		}
	}
}
