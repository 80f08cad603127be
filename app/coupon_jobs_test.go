package app_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/internal/harness"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// issueMany runs a job and collects its codes; after some batches the process
// is gone.
func issueMany(r *harness.Harness, job app.IssueJob, crashAfter int) (codes []string, before int, err error) {
	batches := 0
	err = r.IssueMany(ctx, shop.Default, job, func(some []string, again bool) error {
		if again {
			before += len(some)
		}
		codes = append(codes, some...)
		if batches++; batches == crashAfter {
			return errors.New("crash")
		}
		return nil
	})
	return codes, before, err
}

// TestIssueMany: a job that is broken off goes on under its name, issues
// nothing twice and gives the codes that it gave.
func TestIssueMany(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		offer(t, r, "bulk", func(d *marketing.Template) { d.Supply, d.ValidDays = 10_000, 30 })
		job := app.IssueJob{Name: "autumn", Template: "bulk", Prefix: "AU-", Count: 6500}
		first, _, err := issueMany(r, job, 3)
		if err == nil || len(first) != 3000 {
			t.Fatalf("%d codes before the crash (%v)", len(first), err)
		}
		all, before, err := issueMany(r, job, 0)
		if err != nil || len(all) != 6500 || before < 3000 || !slices.Equal(all[:3000], first) {
			t.Errorf("%d codes, %d of them before (%v)", len(all), before, err)
		}
		again, before, err := issueMany(r, job, 0)
		if err != nil || before != 6500 || !slices.Equal(again, all) {
			t.Errorf("again: %d codes, %d of them before (%v)", len(again), before, err)
		}
		r.Audit()
		if n := issuedOf(t, r, "bulk"); n != 6500 {
			t.Errorf("issued %d", n)
		}
		seen := map[string]bool{}
		for _, code := range all {
			seen[code] = true
			if err := marketing.CheckCode("", code); err != nil || !strings.HasPrefix(code, "AU-") || len(code) != 3+4+16 {
				t.Fatalf("code %q", code)
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%d of %d codes differ", len(seen), len(all))
		}
		log := len(events(t, r))
		for _, tt := range []struct {
			name string
			job  app.IssueJob
			code fault.Code
			says string
		}{
			{"another count", app.IssueJob{Name: "autumn", Template: "bulk", Prefix: "AU-", Count: 7000}, fault.IdempotencyKeyReused, "autumn"},
			{"another prefix", app.IssueJob{Name: "autumn", Template: "bulk", Count: 6500}, fault.IdempotencyKeyReused, "another name"},
			{"more than are left", app.IssueJob{Name: "b", Template: "bulk", Count: 3501}, fault.CouponUnavailable, "3500 of 10000 coupons are left, 3501 were requested"},
			{"of nothing", app.IssueJob{Name: "b", Template: "nothing", Count: 1}, fault.NotFound, "nothing"},
			{"none", app.IssueJob{Name: "b", Template: "bulk"}, fault.ValidationFailed, "count"},
			{"a name that cannot be", app.IssueJob{Name: "b/c", Template: "bulk", Count: 1}, fault.ValidationFailed, "job"},
			{"a prefix that a spreadsheet computes", app.IssueJob{Name: "b", Template: "bulk", Prefix: "-1", Count: 1}, fault.ValidationFailed, "prefix"},
			{"a prefix that is too long", app.IssueJob{Name: "b", Template: "bulk", Prefix: strings.Repeat("p", 41), Count: 1}, fault.ValidationFailed, "prefix"},
		} {
			if codes, _, err := issueMany(r, tt.job, 0); !fault.Is(err, tt.code) || !strings.Contains(err.Error(), tt.says) || len(codes) != 0 {
				t.Errorf("%s: %d codes, %v; want %s that says %q", tt.name, len(codes), err, tt.code, tt.says)
			}
		}
		if n := issuedOf(t, r, "bulk"); n != 6500 || len(events(t, r)) != log {
			t.Errorf("after refusals %d are issued", n)
		}
		r.Audit()
	})
}

// TestIssueManyDuplicates: a job that is begun twice at once, on two instances too,
// is one job; claims beside it take from the same supply.
func TestIssueManyDuplicates(t *testing.T) {
	races(t, func(t *testing.T, instances ...*harness.Harness) {
		r := instances[0]
		offer(t, r, "bulk", func(d *marketing.Template) { d.Supply = 2520 })
		got := make([][]string, 2)
		if err := errors.Join(harness.Together(22, func(i int) (err error) {
			if i < len(got) {
				got[i], _, err = issueMany(instances[i%len(instances)], app.IssueJob{Name: "j", Template: "bulk", Count: 2500}, 0)
				return err
			}
			return second(instances[i%len(instances)].ClaimCoupon(ctx, shop.Default, "", "bulk", fmt.Sprint("u", i)))
		})...); err != nil {
			t.Error(err)
		}
		if n := issuedOf(t, r, "bulk"); n != 2520 || len(got[0]) != 2500 || !slices.Equal(got[0], got[1]) {
			t.Errorf("%d issued: %d and %d codes of the job", n, len(got[0]), len(got[1]))
		}
		if err := second(r.ClaimCoupon(ctx, shop.Default, "", "bulk", "late")); !fault.Is(err, fault.CouponUnavailable) {
			t.Errorf("when none is left: %v", err)
		}
		r.Audit()
	})
}

// TestImportExport: what is exported can be imported elsewhere, a second
// import changes nothing, and what is refused names its line and changes
// nothing.
func TestImportExport(t *testing.T) {
	harness.Each(t, func(t *testing.T, open opener) {
		r := scene(t, open)
		offer(t, r, "in", func(d *marketing.Template) { d.Supply, d.PerUserLimit, d.ValidDays = 6, 2, 1 })
		read := func(file string) (made, there int, err error) {
			var lines []app.CouponLine
			must(t)(nil, app.ReadCoupons(strings.NewReader(file), func(l app.CouponLine) error { lines = append(lines, l); return nil }))
			return r.ImportCoupons(ctx, shop.Default, "in", lines)
		}
		for _, tt := range []struct {
			name, file  string
			made, there int
			code        fault.Code
			says        string
		}{
			{"first", "code,userId\nX1,u\n'-X2,\nX3,v\n", 3, 0, "", ""},
			{"again", "code,userId\nX1,u\n-X2,\nX3,v\n", 0, 3, "", ""},
			{"one more, and one twice", "code,userId\nX1,u\nX4,v\nX4,v\n", 1, 2, "", ""},
			{"a code of another template", "code\nX5\nC5\n", 0, 0, fault.AlreadyExists, "line 3: there is a coupon C5 of template five"},
			{"a code of another user", "code,userId\nX5,v\nX1,v\n", 0, 0, fault.AlreadyExists, "line 3: there is a coupon X1 for another user"},
			{"a code twice for two", "code,userId\nX5,u\nX6,u\nX5,w\n", 0, 0, fault.AlreadyExists, "line 4: the code X5 stands in line 2"},
			{"a user who has enough", "code,userId\nX5,v\n", 0, 0, fault.CouponUnavailable, "line 2: template in: at most 2 for each user; v has 2"},
			{"more than are left", "code\nX5\nX6\nX7\n", 0, 0, fault.CouponUnavailable, "lines 2 to 4: template in: 2 of 6 coupons are left, 3"},
			{"the rest", "code\nX5\nX1\nX6\n", 0, 0, fault.AlreadyExists, "line 3"},
			{"the last two", "code\nX5\nX6\n", 2, 0, "", ""},
			{"when nothing is left, again", "code,userId\nX1,u\n", 0, 1, "", ""},
		} {
			made, there, err := read(tt.file)
			if made != tt.made || tt.code == "" && there != tt.there || fault.CodeOf(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %d made, %d there, %v; want %d, %d, %s that says %q", tt.name, made, there, err, tt.made, tt.there, tt.code, tt.says)
			}
			r.Audit()
		}
		must(t)(r.RevokeCoupon(ctx, shop.Default, "X3"))
		export := func(status marketing.Status) string {
			var b strings.Builder
			seen := 0
			must(t)(nil, r.ExportCoupons(ctx, shop.Default, "in", status, &b, func(n int) { seen += n }))
			if lines := strings.Count(b.String(), "\n"); lines != seen+1 {
				t.Errorf("%d lines, %d coupons were reported", lines, seen)
			}
			return b.String()
		}
		c, err := r.Store.Coupon(ctx, shop.Default, "X1")
		must(t)(nil, err)
		stamp := func(tm time.Time) string { return tm.UTC().Format(time.RFC3339Nano) }
		want := app.CouponColumns + "\n'-X2,in,,available,,,"
		if got := export(""); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 7 ||
			!strings.Contains(got, "\nX1,in,u,available,,,"+stamp(c.ValidUntil)+","+stamp(c.IssuedAt)+"\n") {
			t.Errorf("exported %s", got)
		}
		if got := export(marketing.Revoked); !strings.HasPrefix(got, app.CouponColumns+"\nX3,in,v,revoked,") || strings.Count(got, "\n") != 2 {
			t.Errorf("exported as revoked %s", got)
		}
		r.Clock.Advance(25 * time.Hour)
		if got := export(marketing.Expired); strings.Count(got, ",expired,") != 5 || strings.Count(got, "\n") != 6 {
			t.Errorf("exported as expired %s", got)
		}
		if err := r.ExportCoupons(ctx, shop.Default, "nothing", "", &strings.Builder{}, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("an export of nothing: %v", err)
		}
		r.Audit()
	})
}
