package app_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/fault"
)

// readAll is what a file holds, as text, and how it ends.
func readAll(r io.Reader) (string, error) {
	var b strings.Builder
	err := app.ReadCoupons(r, func(l app.CouponLine) error {
		fmt.Fprintf(&b, "%d:%s/%s ", l.Line, l.Code, l.User)
		return nil
	})
	return strings.TrimSpace(b.String()), err
}

func TestReadCoupons(t *testing.T) {
	long := strings.Repeat("C", 64)
	for _, tt := range []struct {
		name, in, want, says string
	}{
		{"codes", "code\nA\nB\n", "2:A/ 3:B/", ""},
		{"no end of the last line", "code\nA", "2:A/", ""},
		{"only a header", "code\n", "", ""},
		{"users", "code,userId\nA,u1\nB,\n", "2:A/u1 3:B/", ""},
		{"mark and CRLF", "\ufeffcode,userId\r\nA,u1\r\n", "2:A/u1", ""},
		{"quoted", "\"code\",\"userId\"\n\"A\",\"u1\"\n", "2:A/u1", ""},
		{"empty lines", "code\n\nA\n\r\n\nB\n\n", "3:A/ 6:B/", ""},
		{"the longest", "code,userId\n" + long + "," + strings.Repeat("u", 64) + "\n", "2:" + long + "/" + strings.Repeat("u", 64), ""},
		{"as a spreadsheet is kept from computing", "code\n'-A\n-B\n", "2:-A/ 3:-B/", ""},
		{"nothing", "", "", "the file is empty"},
		{"only a mark", "\ufeff", "", "the file is empty"},
		{"no header", "A\nB\n", "", "line 1: the header must be"},
		{"an empty header", "\nA\n", "", "line 1: the header must be"},
		{"another header", "code,status\nA,used\n", "", "line 1: the header must be"},
		{"an export", app.CouponColumns + "\n", "", "line 1: the header must be"},
		{"too few columns", "code,userId\nA,u\nB\n", "2:A/u", "line 3: 1 columns; the header has 2"},
		{"too many columns", "code\nA,u\n", "", "line 2: 2 columns; the header has 1"},
		{"no code", "code,userId\n,u\n", "", "line 2: code: a code has 1 to 64"},
		{"a code that cannot be", "code\nA\nB C\n", "2:A/", "line 3: code: a code has 1 to 64"},
		{"a formula", "code\n=1+1\n", "", "line 2: code:"},
		{"an apostrophe", "code\n'A\n", "", "line 2: code:"},
		{"a code of 65", "code\n" + long + "C\n", "", "line 2: code:"},
		{"a code of 10,000", "code\nA\n" + strings.Repeat("C", 10_000) + "\nB\n", "2:A/", "line 3: longer than 512 bytes"},
		{"a user that cannot be", "code,userId\nA,=u\n", "", "line 2: userId:"},
		{"not UTF-8", "code\nA\n\xff\xfe\n", "2:A/", "line 3: not UTF-8"},
		{"UTF-16", "\xff\xfec\x00o\x00", "", "line 1: not UTF-8"},
		{"a quote that is not closed", "code\n\"A\nB\n", "", "line 2: a quote is not closed"},
		{"a quote in the middle", "code\nA\"B\n", "", "line 2: a quote in a field"},
		{"text behind a quote", "code\n\"A\"B\n", "", "line 2: text behind"},
		{"a tab instead of a comma", "code\tuserId\nA\tu\n", "", "line 1: the header must be"},
	} {
		got, err := readAll(strings.NewReader(tt.in))
		switch {
		case got != tt.want:
			t.Errorf("%s: read %q, want %q", tt.name, got, tt.want)
		case tt.says == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.says != "" && (!fault.Is(err, fault.ValidationFailed) || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: %v; want it to say %q", tt.name, err, tt.says)
		}
	}
	stop := errors.New("enough")
	if err := app.ReadCoupons(strings.NewReader("code\nA\n"), func(app.CouponLine) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("ended with %v", err)
	}
	if err := app.ReadCoupons(io.MultiReader(strings.NewReader("code\nA\n"), broken{stop}), func(app.CouponLine) error { return nil }); !errors.Is(err, stop) {
		t.Errorf("a broken file ends with %v", err)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// FuzzReadCoupons: whatever the bytes, a file is read or refused with a line;
// what is read are codes and users that can be, and the standard library reads
// the same.
func FuzzReadCoupons(f *testing.F) {
	for _, s := range []string{
		"", "code\nA\n", "\ufeffcode,userId\r\nA,u1\r\n\r\nB,\n", "code\n\"A\"\n\"B\"\"C\"", "code,userId\n'-A,u\n", "code\n=A\n", "code\n\xff", "code\n\"",
		"code\n" + strings.Repeat("A", 600), "code\r\nA\r",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		lines := 0
		var codes []string
		err := app.ReadCoupons(strings.NewReader(string(in)), func(l app.CouponLine) error {
			if l.Line <= lines || len(l.Code) == 0 || len(l.Code) > 64 || len(l.User) > 64 || strings.ContainsAny(l.Code+l.User, "\"',\r\n") {
				t.Errorf("line %d behind %d: %q %q", l.Line, lines, l.Code, l.User)
			}
			lines = l.Line
			codes = append(codes, l.Code)
			return nil
		})
		if err != nil {
			if !fault.Is(err, fault.ValidationFailed) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if !utf8.Valid(in) {
			t.Error("what is not UTF-8 was read")
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(in), "\ufeff"))).ReadAll()
		if err != nil || len(rows) != len(codes)+1 {
			t.Fatalf("%d codes, and the standard library reads %d rows: %v", len(codes), len(rows), err)
		}
		for i, code := range codes {
			if got := rows[i+1][0]; got != code && got != "'"+code {
				t.Errorf("row %d: %q, and the standard library reads %q", i+1, code, got)
			}
		}
	})
}
