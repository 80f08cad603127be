package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
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
// It needs little memory, however long the file or a line is.
func ReadCoupons(r io.Reader, each func(CouponLine) error) error {
	lines := &couponLines{in: bufio.NewReaderSize(r, maxCouponLine+len("\ufeff\r\n")+1)}
	file := csv.NewReader(lines)
	file.FieldsPerRecord, file.ReuseRecord = -1, true
	for columns := 0; ; {
		lines.taken = false
		fields, err := file.Read()
		switch {
		case errors.Is(err, io.EOF) && columns == 0:
			return fault.New(fault.ValidationFailed, "the file is empty; its first line is code or code,userId")
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrBareQuote):
			return atLine(lines.line, lines.line, fault.New(fault.ValidationFailed, "a quote in a field that does not begin with one"))
		case errors.Is(err, csv.ErrQuote):
			return atLine(lines.line, lines.line, fault.New(fault.ValidationFailed, "text behind a closing quote"))
		case err != nil:
			return err
		case columns == 0:
			if columns, err = couponHeader(fields); err != nil {
				return atLine(lines.line, lines.line, err)
			}
			continue
		}
		l, err := couponLine(fields, columns)
		if err != nil {
			return atLine(lines.line, lines.line, err)
		}
		l.Line = lines.line
		if err := each(l); err != nil {
			return err
		}
	}
}

// couponLines gives a csv.Reader one line that is not empty at a time, each
// ended by LF. encoding/csv alone would take a field over any number of lines,
// and read a whole file into memory for a quote that is not closed.
type couponLines struct {
	in    *bufio.Reader
	line  int // the last one that was read, from 1
	taken bool
}

func (l *couponLines) Read(p []byte) (int, error) {
	if l.taken { // a line ended within quotes
		return 0, atLine(l.line, l.line, fault.New(fault.ValidationFailed, "a quote is not closed"))
	}
	for {
		raw, err := l.in.ReadSlice('\n')
		last := errors.Is(err, io.EOF)
		if last && len(raw) == 0 {
			return 0, io.EOF
		}
		if err != nil && !last && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		if l.line++; l.line == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // the byte order mark
		}
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(raw) > maxCouponLine:
			return 0, atLine(l.line, l.line, fault.New(fault.ValidationFailed, "longer than %d bytes", maxCouponLine))
		case !utf8.Valid(raw):
			return 0, atLine(l.line, l.line, fault.New(fault.ValidationFailed, "not UTF-8"))
		case len(raw) > 0:
			l.taken = true
			n := copy(p, raw)
			return n + copy(p[n:], "\n"), nil
		case l.line == 1 && !last:
			_, err := couponHeader(nil)
			return 0, atLine(l.line, l.line, err)
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

// CouponColumns is the header of an export.
const CouponColumns = "code,templateId,userId,status,orderNo,validFrom,validUntil,issuedAt"

// ExportCoupons writes a template's coupons as CSV in the order of their
// codes; status "" is any, and each has the status that it has now. It reads a
// page at a time and holds nothing up: a coupon that changes meanwhile is
// written as it was when its page was read. seen is called
// with the size of each page.
func (a *App) ExportCoupons(ctx context.Context, shopID, template string, status marketing.Status, w io.Writer, seen func(n int)) error {
	if _, err := a.Store.Template(ctx, shopID, template); err != nil {
		return err
	}
	now := a.Clock.Now().UTC()
	f := CouponFilter{Template: template, Status: status, Now: now}
	out := csv.NewWriter(bufio.NewWriterSize(w, 1<<16))
	if err := out.Write(strings.Split(CouponColumns, ",")); err != nil {
		return err
	}
	for p := (Page{Limit: 1000}); ; {
		found, next, err := a.Store.ListCoupons(ctx, shopID, f, p)
		if err != nil {
			return err
		}
		for i := range found {
			if err := out.Write(couponRow(&found[i], now)); err != nil {
				return err
			}
		}
		seen(len(found))
		if next == "" {
			out.Flush()
			return out.Error()
		}
		p.Cursor = next
	}
}

// couponRow is a coupon under CouponColumns.
func couponRow(d *marketing.CouponData, now time.Time) []string {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return []string{
		SafeCell(d.Code), d.TemplateID, d.User, string(d.StatusAt(now)), d.Order, moment(d.ValidFrom), moment(d.ValidUntil), moment(d.IssuedAt),
	}
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
