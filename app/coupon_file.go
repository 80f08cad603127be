package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/marketing"
	"github.com/tandem-pay/tandem/shop"
)

// CouponLine is a line of a file of coupons.
type CouponLine struct {
	Line int // from 1, the header's
	Code string
	User string // "" leaves it to whoever has the code
}

// maxCouponLine is how many bytes a line may have. A code and a user of the
// greatest length, quoted, take 133.
const maxCouponLine = 512

// ReadCoupons reads a file of coupons, CSV in UTF-8 with or without a byte
// order mark, its lines ended by LF or CRLF, and hands over line after line;
// an error of each ends it. The header is "code" or "code,userId". Empty lines
// are passed over. What is wrong is a validation_failed that names the line.
//
// It needs no memory to speak of, however long the file or a line is.
func ReadCoupons(r io.Reader, each func(CouponLine) error) error {
	in := bufio.NewReaderSize(r, maxCouponLine+len("\ufeff\r\n")+1)
	columns := 0
	for line := 1; ; line++ {
		raw, err := in.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !tooLong && !errors.Is(err, io.EOF) {
			return err
		}
		last := errors.Is(err, io.EOF)
		if line == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // the byte order mark
		}
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
		if tooLong || len(raw) > maxCouponLine {
			return atLine(line, line, fault.New(fault.ValidationFailed, "longer than %d bytes", maxCouponLine))
		}
		switch {
		case len(raw) == 0 && columns > 0:
		case len(raw) == 0 && last && line == 1:
			return fault.New(fault.ValidationFailed, "the file is empty; its first line is code or code,userId")
		default:
			fields, err := couponFields(raw)
			if err == nil && columns == 0 {
				columns, err = couponHeader(fields)
			} else if err == nil {
				var l CouponLine
				if l, err = couponLine(fields, columns); err == nil {
					l.Line = line
					err = each(l)
					if err != nil {
						return err
					}
				}
			}
			if err != nil {
				return atLine(line, line, err)
			}
		}
		if last {
			return nil
		}
	}
}

func couponHeader(fields []string) (int, error) {
	switch strings.Join(fields, ",") {
	case "code":
		return 1, nil
	case "code,userId":
		return 2, nil
	}
	return 0, fault.New(fault.ValidationFailed, "the header must be code or code,userId")
}

func couponLine(fields []string, columns int) (l CouponLine, err error) {
	if len(fields) != columns {
		return l, fault.New(fault.ValidationFailed, "%d columns; the header has %d", len(fields), columns)
	}
	if l.Code = fields[0]; strings.HasPrefix(l.Code, "'-") {
		l.Code = l.Code[1:] // see SafeCell
	}
	if err := marketing.CheckCode("code", l.Code); err != nil {
		return l, err
	}
	if columns == 2 && fields[1] != "" {
		l.User = fields[1]
		return l, shop.CheckID("userId", l.User)
	}
	return l, nil
}

// couponFields splits a line at its commas. A field may be quoted, as
// spreadsheets do, with a quote in it doubled.
func couponFields(raw []byte) ([]string, error) {
	if !utf8.Valid(raw) {
		return nil, fault.New(fault.ValidationFailed, "not UTF-8")
	}
	rest := string(raw)
	for fields := []string(nil); ; {
		if !strings.HasPrefix(rest, `"`) {
			field, more, comma := strings.Cut(rest, ",")
			if strings.Contains(field, `"`) {
				return nil, fault.New(fault.ValidationFailed, "a quote in a field that does not begin with one")
			}
			if fields = append(fields, field); !comma {
				return fields, nil
			}
			rest = more
			continue
		}
		var b strings.Builder
		for rest = rest[1:]; ; {
			part, more, quote := strings.Cut(rest, `"`)
			if !quote {
				return nil, fault.New(fault.ValidationFailed, "a quote is not closed")
			}
			b.WriteString(part)
			if rest = more; !strings.HasPrefix(rest, `"`) {
				break
			}
			b.WriteByte('"')
			rest = rest[1:]
		}
		fields = append(fields, b.String())
		switch {
		case rest == "":
			return fields, nil
		case rest[0] != ',':
			return nil, fault.New(fault.ValidationFailed, "text behind a closing quote")
		}
		rest = rest[1:]
	}
}

// CouponColumns is the header of an export.
const CouponColumns = "code,templateId,userId,status,orderNo,validFrom,validUntil,issuedAt"

// ExportCoupons writes a template's coupons as CSV in the order of their
// codes; status "" is any, and each has the status that it has now. It reads a
// page at a time and holds nothing up: a coupon that changes meanwhile is
// written as it was when its page was read. seen is told of each page.
func (a *App) ExportCoupons(ctx context.Context, shopID, template string, status marketing.Status, w io.Writer, seen func(n int)) error {
	if _, err := a.Store.Template(ctx, shopID, template); err != nil {
		return err
	}
	now := a.Clock.Now().UTC()
	f := CouponFilter{Template: template, Status: status, Now: now}
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.WriteString(CouponColumns + "\n") // Flush tells of an error
	for p := (Page{Limit: 1000}); ; {
		found, next, err := a.Store.ListCoupons(ctx, shopID, f, p)
		if err != nil {
			return err
		}
		for i := range found {
			writeCoupon(out, &found[i], now)
		}
		seen(len(found))
		if next == "" {
			return out.Flush()
		}
		p.Cursor = next
	}
}

// writeCoupon writes a line. No field can hold a comma, a quote or the end of
// a line: codes, ids and numbers are checked when they are made.
func writeCoupon(w *bufio.Writer, d *marketing.CouponData, now time.Time) {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	for i, field := range [...]string{
		SafeCell(d.Code), d.TemplateID, d.User, string(d.StatusAt(now)), d.Order, moment(d.ValidFrom), moment(d.ValidUntil), moment(d.IssuedAt),
	} {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_, _ = w.WriteString(field)
	}
	_ = w.WriteByte('\n')
}

// SafeCell is a code as it is written for a spreadsheet, which takes what
// begins with - for a formula: an apostrophe in front makes it text. An import
// takes it off again; no code has one. Nothing else that is written here can
// begin with a sign.
func SafeCell(code string) string {
	if strings.HasPrefix(code, "-") {
		return "'" + code
	}
	return code
}
