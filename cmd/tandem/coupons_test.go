package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCoupons: coupons in great numbers from the command line, beside a server
// on the same database.
func TestCoupons(t *testing.T) {
	each(t, func(t *testing.T, change func(*serveCmd)) {
		var where []string
		sv := serve(t, func(c *serveCmd) {
			change(c)
			where = []string{"--data", c.Data}
			if c.DB != "" {
				where = append(where, "--db", c.DB)
			}
		})
		c := sv.client(t)
		c.must(201, "POST", "/v1/coupon-templates", map[string]any{"id": "bulk", "name": "n", "kind": "amount_off", "amountOff": 100, "supply": 3000})
		dir := t.TempDir()
		file := func(name string) string { return filepath.Join(dir, name) }
		write := func(name, text string) string {
			if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return file(name)
		}
		tandem := func(want int, says string, args ...string) string {
			t.Helper()
			var out, errs bytes.Buffer
			code := run(t.Context(), append(append([]string{"coupons"}, args...), where...), streams{&out, &errs})
			if all := out.String() + errs.String(); code != want || !strings.Contains(all, says) {
				t.Errorf("%v: exit %d, %s; want %d and %q", args, code, all, want, says)
			}
			return out.String()
		}
		lines := func(name string) []string {
			t.Helper()
			b, err := os.ReadFile(file(name))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		}

		tandem(0, "2500 coupons of template bulk are issued, 0 of them before", "issue", "--template", "bulk", "--count", "2500", "--prefix", "X-", "--job", "j", "--out", file("codes.csv"))
		first := lines("codes.csv")
		if len(first) != 2501 || first[0] != "code" || !strings.HasPrefix(first[2500], "X-") {
			t.Fatalf("%d lines: %s", len(first), first[:2])
		}
		tandem(0, "2500 coupons of template bulk are issued, 2500 of them before", "issue", "--template", "bulk", "--count", "2500", "--prefix", "X-", "--job", "j", "--out", file("codes.csv"))
		if again := lines("codes.csv"); strings.Join(again, " ") != strings.Join(first, " ") {
			t.Error("the job gave other codes when it was repeated")
		}
		tandem(1, "500 of 3000 coupons are left, 501 were requested", "issue", "--template", "bulk", "--count", "501")
		tandem(1, "file exists", "issue", "--template", "bulk", "--count", "1", "--out", file("codes.csv"))
		tandem(2, "--template", "issue", "--count", "1")
		// With a prefix: codes are drawn at random, and one that begins with a digit
		// would stand before A-1 in the export.
		tandem(0, "--job job-", "issue", "--template", "bulk", "--count", "1", "--prefix", "Y-")

		tandem(0, "0 coupons of template bulk are imported, 2500 were there already", "import", "--template", "bulk", file("codes.csv"))
		tandem(0, "2 coupons of template bulk are imported, 0 were there already", "import", "--template", "bulk", write("two.csv", "\ufeffcode,userId\r\nA-1,u1\r\nA-2,\r\n"))
		tandem(1, "nothing is imported: validation_failed: line 3: not UTF-8", "import", "--template", "bulk", write("bad.csv", "code\nA-3\n\xff\n"))
		tandem(1, "line 3: there is a coupon A-1 for another user", "import", "--template", "bulk", write("theirs.csv", "code\nA-3\nA-1\n"))
		tandem(1, "no coupon template", "import", "--template", "nothing", file("two.csv"))
		if status, _ := c.call("GET", "/v1/coupons/A-3", nil); status != 404 {
			t.Errorf("a file that was refused left a coupon: %d", status)
		}

		tandem(0, "", "export", "--template", "bulk", "--out", file("all.csv"))
		if all := lines("all.csv"); len(all) != 2504 || !strings.HasPrefix(all[1], "A-1,bulk,u1,available,") {
			t.Errorf("%d lines exported: %s", len(all), all[:2])
		}
		c.must(200, "POST", "/v1/coupons/A-1/revoke", nil)
		if out := tandem(0, "", "export", "--template", "bulk", "--status", "revoked"); strings.Count(out, "\n") != 2 {
			t.Errorf("exported as revoked: %s", out)
		}
		tandem(0, "2502 coupons of template bulk are revoked", "revoke", "--template", "bulk")
		tandem(0, "0 coupons of template bulk are revoked", "revoke", "--template", "bulk")
		if got := c.must(200, "GET", "/v1/coupon-templates/bulk", nil)["issued"]; got != 2503.0 {
			t.Errorf("issued %v", got)
		}
		var out bytes.Buffer
		if code := run(t.Context(), append([]string{"audit"}, where...), streams{&out, &out}); code != 0 {
			t.Errorf("audit: %s", out.String())
		}
	})
}
