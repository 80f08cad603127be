package alipay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/sandbox/trade"
)

// bizContent is a biz_content. Members that the gateway does not know are
// ignored, as the real one does; empty strings and nulls count as absent,
// since SDKs send them.
type bizContent map[string]any

func parseBiz(text string) (bizContent, *failure) {
	if text == "" {
		return bizContent{}, nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var biz bizContent
	err := dec.Decode(&biz)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = errors.New("something follows the JSON object")
		}
	}
	if err != nil || biz == nil || !utf8.ValidString(text) {
		return nil, fail(codeInvalid, "isv.invalid-parameter", "biz_content is not a JSON object")
	}
	for name, value := range biz {
		if value == nil || value == "" {
			delete(biz, name)
		}
	}
	return biz, nil
}

// paramNo refuses a member of the biz_content.
func paramIssue(name, issue string) *failure {
	return acq("INVALID_PARAMETER", "参数无效: "+name+" "+issue)
}

// text reads a member of at most longest characters, "" when it is absent. A
// number is taken for its digits, as the real one does.
func (b bizContent) text(name string, longest int) (string, *failure) {
	var s string
	switch v := b[name].(type) {
	case nil:
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		return "", paramIssue(name, "must be a string")
	}
	if utf8.RuneCountInString(s) > longest {
		return "", paramIssue(name, "is longer than "+strconv.Itoa(longest)+" characters")
	}
	return s, nil
}

// texts reads several members at once, each into its variable.
func (b bizContent) texts(into ...member) *failure {
	for _, t := range into {
		s, no := b.text(t.name, t.max)
		if no == nil && t.required && s == "" {
			no = paramIssue(t.name, "is required")
		}
		if no != nil {
			return no
		}
		*t.into = s
	}
	return nil
}

// member is a member to read.
type member struct {
	into     *string
	name     string
	max      int
	required bool
}

// options says whether query_options has the name.
func (b bizContent) wants(option string) bool {
	list, _ := b["query_options"].([]any)
	for _, v := range list {
		if v == option {
			return true
		}
	}
	return false
}

var (
	noShape     = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)
	amountShape = regexp.MustCompile(`^\d{1,9}(\.\d{1,2})?$`)
	waitShape   = regexp.MustCompile(`^([1-9]\d{0,5})([mhd])$`)
)

// maxAmount is 100,000,000 yuan in fen.
const maxAmount = 10_000_000_000

// parseFen reads an amount in yuan, with up to two decimals, as fen. It
// calculates with integers alone.
func parseFen(name, s string) (int64, *failure) {
	if !amountShape.MatchString(s) {
		return 0, paramIssue(name, "must be an amount in yuan with up to two decimals")
	}
	whole, part, _ := strings.Cut(s, ".")
	fen, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil || fen < 1 || fen > maxAmount {
		return 0, paramIssue(name, "must be 0.01 to 100000000")
	}
	return fen, nil
}

// timeout is a timeout_express. The zero value is none.
type timeout struct {
	wait  time.Duration
	today bool // 1c: at the end of the day, in China
}

func parseAlipayTimeout(name, s string) (t timeout, no *failure) {
	if s == "" {
		return t, nil
	}
	if s == "1c" {
		return timeout{today: true}, nil
	}
	m := waitShape.FindStringSubmatch(s)
	if m == nil {
		return t, paramIssue(name, "must be like 15m, 1h, 1d or 1c")
	}
	n, _ := strconv.Atoi(m[1]) // six digits at most
	t.wait = time.Duration(n) * map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
	if t.wait < minTimeout || t.wait > maxTimeout {
		return t, paramIssue(name, "must be 1m to 15d")
	}
	return t, nil
}

// from is when the timeout ends that begins at a time; zero when there is none.
func (t timeout) from(at time.Time) time.Time {
	switch {
	case t.today:
		day := at.In(trade.China)
		return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, trade.China)
	case t.wait > 0:
		return at.Add(t.wait)
	}
	return time.Time{}
}

// earliest is the first of the times that are set; zero when none is.
func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// canonical is the biz_content in one spelling: sorted and without blanks.
func (b bizContent) canonical() ([]byte, error) {
	var out bytes.Buffer
	err := json.NewEncoder(&out).Encode(map[string]any(b))
	return out.Bytes(), err
}
