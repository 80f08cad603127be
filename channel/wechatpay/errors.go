package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/tandem-pay/tandem/payment"
)

// errRejected marks a code that is a certain no whatever its HTTP status.
var errRejected = errors.New("rejected")

// meanings is what the codes of WeChat Pay's refusals mean to us. The words
// are compared in capitals and without underscores, because their spelling
// drifts between generations of the documents (SYSTEMERROR, SYSTEM_ERROR). A
// code that is not here is judged by its HTTP status, see meaning.
//
// Refusals are not signed. None of these meanings says anything about money:
// ErrPaid, ErrClosed, ErrNotExist and ErrUnknown all say "query".
var meanings = map[string]error{
	codePaid:            payment.ErrPaid,
	"ORDERCLOSED":       payment.ErrClosed,
	codeNotExist:        payment.ErrNotExist,
	"RESOURCENOTEXISTS": payment.ErrNotExist,
	"FREQUENCYLIMITED":  payment.ErrBusy,
	codeRateExceed:      payment.ErrBusy,
	codeRateExceeds:     payment.ErrBusy,
	"SYSTEMERROR":       payment.ErrUnknown,
	"BANKERROR":         payment.ErrUnknown,
	codePaying:          payment.ErrUnknown,
	codeNumberUsed:      payment.ErrUnknown, // our requests under one number are identical: the query says which
	// Documented with status 500, but the mistake is ours and stays one.
	"OPENIDMISMATCH":       errRejected,
	"INVALIDTRANSACTIONID": errRejected,
}

// meaning judges a refusal by its status and its normalised code. also is
// what the codes mean to this call, where that differs.
func meaning(status int, code string, also map[string]error) error {
	if status == http.StatusTooManyRequests {
		return payment.ErrBusy
	}
	if m, ok := also[code]; ok {
		return m
	}
	if m, ok := meanings[code]; ok {
		return m
	}
	// A 4xx without a code comes from something in between, not from WeChat
	// Pay, and is no certain no.
	if status >= 400 && status <= 499 && code != "" {
		return errRejected
	}
	return payment.ErrUnknown
}

// settingsAtFault is what to check for the codes that blame our settings.
var settingsAtFault = map[string]string{
	"SIGNERROR":          "Check that merchantPrivateKey and merchantSerial are of one API certificate of mchId, and this server's clock.",
	"MCHNOTEXISTS":       "Check mchId.",
	"MCHNOTEXIST":        "Check mchId.",
	"APPIDMCHIDNOTMATCH": "Check appId and mchId, and that the app is bound to the merchant.",
	"NOAUTH":             "Apply for the product at WeChat Pay, or check mchId.",
}

// noState is what codes about a payment's state mean to calls that
// cannot be refused for it: such a refusal is not signed, and following it
// would send the caller round in a circle.
func noState(more map[string]error) map[string]error {
	m := map[string]error{codePaid: payment.ErrUnknown, "ORDERCLOSED": payment.ErrUnknown}
	maps.Copy(m, more)
	return m
}

// normal is a code as the table spells it.
func normal(code string) string {
	return strings.ToUpper(strings.ReplaceAll(code, "_", ""))
}

// outcome turns what the SDK gives back into the port's errors: nil only for a
// verified answer with the status that the call is documented to have.
func outcome(result *core.APIResult, err error, want int, also map[string]error) error {
	if result == nil || result.Response == nil {
		return unknown(cause(err))
	}
	status := result.Response.StatusCode
	if status < 200 || status > 299 {
		return refusal(result.Response, also)
	}
	if err != nil {
		return unknown(cause(err))
	}
	if status != want {
		return unknown(fmt.Errorf("HTTP %d where %d is documented", status, want))
	}
	return nil
}

// refusal reads an answer other than 2xx. It reads the answer itself instead
// of the SDK's APIError, whose status and body members an answer can overwrite.
func refusal(resp *http.Response, also map[string]error) error {
	var said struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if body, err := io.ReadAll(resp.Body); err != nil || json.Unmarshal(body, &said) != nil {
		said.Code, said.Message = "", ""
	}
	code := short(said.Code, 64)
	m := meaning(resp.StatusCode, normal(code), also)
	switch m {
	case errRejected:
		return &payment.RejectedError{Code: code, Message: short(said.Message, 256), Check: settingsAtFault[normal(code)]}
	case payment.ErrUnknown:
		return unknown(fmt.Errorf("HTTP %d %s", resp.StatusCode, code))
	default:
		return fmt.Errorf("%w: HTTP %d %s", m, resp.StatusCode, code)
	}
}

// unknown wraps the cause of an unknown outcome; errors.Is finds both.
func unknown(cause error) error { return fmt.Errorf("%w: %w", payment.ErrUnknown, cause) }

var errNotProtocol = errors.New("the answer is not what the protocol says")

// cause strips an error of whatever might carry a URL or a body.
func cause(err error) error {
	var atURL *url.Error
	var unverified *payment.RefusedError
	switch {
	case err == nil:
		return errNotProtocol
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &atURL):
		return atURL.Err
	case errors.As(err, &unverified):
		return errors.New("the answer is not authentic: " + unverified.Reason)
	default:
		return errNotProtocol
	}
}

// rejected is our own certain no to a request that WeChat Pay would refuse.
func rejected(format string, args ...any) error {
	return &payment.RejectedError{Code: "PARAM_ERROR", Message: fmt.Sprintf(format, args...)}
}

// short makes foreign text fit to be stored and logged.
func short(s string, runes int) string {
	return firstRunes(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s), runes)
}

// firstRunes cuts s after n characters.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
