package wechatpay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/payment"
)

// maxLine bounds a line of a bill; WeChat Pay's have some 400 bytes.
const maxLine = 64 << 10

// maxColumns bounds a header line; a trade bill has 27.
const maxColumns = 128

// lostError is a file that could not be read on.
type lostError struct {
	line int64
	err  error
}

func (e *lostError) Error() string { return "it cannot be read: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// sheet reads the lines of a bill: a header, rows whose every value begins
// with a backtick, a header of totals and one row of them. What it returns
// is valid until the next line is read.
type sheet struct {
	in     *bufio.Reader
	line   int64
	starts []int // of the row's values: the places of their backticks
}

func newSheet(in io.Reader) *sheet { return &sheet{in: bufio.NewReaderSize(in, maxLine)} }

// bad says what is wrong with the present line.
func (s *sheet) bad(format string, args ...any) error {
	return &payment.BadBillError{Line: s.line, Reason: fmt.Sprintf(format, args...)}
}

// next is the next line without its end; io.EOF after the last.
func (s *sheet) next() ([]byte, error) {
	s.line++
	line, err := s.in.ReadSlice('\n')
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case err == io.EOF && len(line) > 0: // the last line need not be ended
	case err == io.EOF:
		return nil, io.EOF
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, s.bad("the line is longer than %d bytes", maxLine)
	default:
		return nil, &lostError{s.line, err}
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if !utf8.Valid(line) {
		return nil, s.bad("it is not UTF-8")
	}
	return line, nil
}

// layout says where in a row the required values are.
type layout struct {
	at      []int // of each required value, -1: the file has no such column
	columns int
	// From free[0] to free[1] are texts of the merchant's own, which may hold
	// what separates values. Values required before them are counted from the
	// left, what comes after them from the right.
	free [2]int
}

// header reads a header line. The last words of want, from required on, may
// be missing.
func (s *sheet) header(line []byte, want []string, required int, free ...string) (layout, error) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	names := strings.SplitN(string(line), ",", maxColumns+1)
	if len(names) > maxColumns {
		return layout{}, s.bad("it has more than %d columns", maxColumns)
	}
	place := make(map[string]int, len(names))
	for i, name := range names {
		// The unit is written with brackets of either width, or not at all.
		name = strings.TrimSpace(name)
		name = strings.TrimSuffix(strings.TrimSuffix(name, "(元)"), "（元）")
		if _, twice := place[name]; twice {
			return layout{}, s.bad("the column %s is there twice", short(name, 32))
		}
		place[name] = i
	}
	l := layout{columns: len(names), free: [2]int{-1, -1}}
	for i, name := range want {
		at, ok := place[name]
		if !ok && i < required {
			return layout{}, s.bad("the column %s is missing", name)
		} else if !ok {
			at = -1
		}
		l.at = append(l.at, at)
	}
	for i, name := range free {
		at, ok := place[name]
		if !ok || i > 0 && at != l.free[1]+1 { // not side by side
			l.free = [2]int{-1, -1}
			break
		}
		if i == 0 {
			l.free[0] = at
		}
		l.free[1] = at
	}
	return l, nil
}

// row splits a row; out receives the required values.
func (s *sheet) row(line []byte, l *layout, out [][]byte) error {
	if len(line) == 0 || line[0] != '`' {
		return s.bad("the row does not begin with a backtick")
	}
	starts := append(s.starts[:0], 0)
	for from := 1; ; {
		i := bytes.IndexByte(line[from:], '`')
		if i < 0 {
			break
		}
		if from += i; line[from-1] == ',' {
			starts = append(starts, from)
		}
		from++
	}
	n := len(starts)
	// An end like that of any other value.
	starts = append(starts, len(line)+1)
	s.starts = starts
	more := n - l.columns
	if more < 0 || more > 0 && l.free[0] < 0 {
		return s.bad("it has %d values where the header has %d", n, l.columns)
	}
	for i, at := range l.at {
		switch {
		case at < 0:
			out[i] = nil
			continue
		case at > l.free[1]:
			at += more
		}
		out[i] = line[starts[at]+1 : starts[at+1]-1]
	}
	return nil
}

// end requires nothing more in the file.
func (s *sheet) end() error {
	for {
		switch line, err := s.next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(line) > 0:
			return s.bad("there is more after the totals")
		}
	}
}

// cut is the end of a file that should have gone on.
func (s *sheet) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return s.bad("the file ends before its totals")
	}
	return err
}

// decimal reads a number with up to that many places behind the point, as a
// whole number of the smallest unit. No text at all is nothing: what is
// missing shows in the totals.
func decimal(b []byte, places int) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
		if len(b) == 0 {
			return 0, false
		}
	}
	var n int64
	point, digits := -1, 0
	for i, c := range b {
		switch {
		case c == '.' && point < 0 && i > 0:
			point = 0
			continue
		case c < '0' || c > '9':
			return 0, false
		}
		if point >= 0 {
			if point++; point > places {
				if c != '0' {
					return 0, false
				}
				continue
			}
		}
		if digits++; digits > 18 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if point == 0 { // "1."
		return 0, false
	}
	for p := max(point, 0); p < places; p++ {
		if n > 1<<59/10 {
			return 0, false
		}
		n *= 10
	}
	if negative {
		n = -n
	}
	return n, true
}

// moment reads a time like 2024-07-09 16:47:58, of China.
func moment(b []byte) (time.Time, bool) {
	const form = "0000-00-00 00:00:00"
	if len(b) != len(form) {
		return time.Time{}, false
	}
	for i := range b {
		if form[i] != '0' && b[i] != form[i] || form[i] == '0' && (b[i] < '0' || b[i] > '9') {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour-8, minute, second, 0, time.UTC), true
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && (year%4 == 0 && year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}
