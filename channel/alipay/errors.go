package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tandem-pay/tandem/payment"
)

// The codes of the gateway itself.
const (
	codeSuccess  = "10000"
	codeUnknown  = "20000" // the service is not available: it may have worked
	codeBusiness = "40004" // the business said no: see sub_code
	codeBusy     = "40005" // too many calls

	codeNoTrade = "ACQ.TRADE_NOT_EXIST"
)

// certain are the gateway's codes that refuse a request before any business
// has seen it: no permission, something missing, something invalid.
var certain = map[string]bool{"20001": true, "40001": true, "40002": true, "40003": true, "40006": true}

// Meanings that only some calls can do something with.
var (
	// errRejected is a certain no.
	errRejected = errors.New("rejected")
	// errState: the trade is in another state than the call needs. A query
	// says in which.
	errState = errors.New("the trade is in another state")
)

// meanings is what the sub_codes of signed refusals mean to us, in capitals. A
// code that is not here is judged by its code and its prefix, see meaning.
var meanings = map[string]error{
	"ACQ.SYSTEM_ERROR":                errUnknown,
	"AQC.SYSTEM_ERROR":                errUnknown, // so spelled by Alipay
	"ACQ.TRADE_HAS_SUCCESS":           payment.ErrPaid,
	"ACQ.TRADE_HAS_CLOSE":             payment.ErrClosed,
	codeNoTrade:                       payment.ErrNotExist,
	"ACQ.TRADE_STATUS_ERROR":          errState,
	"ACQ.REASON_TRADE_STATUS_INVALID": errState,
	"ACQ.REASON_ILLEGAL_STATUS":       errState,
	// Our requests under one number are identical: the query says which.
	"ACQ.CONTEXT_INCONSISTENT":      errUnknown,
	"ACQ.SELLER_BALANCE_NOT_ENOUGH": payment.ErrShort,
	codeNoBill:                      payment.ErrNoBill,
	codeNoBillAsDocumented:          payment.ErrNoBill,
}

// errUnknown stands in the table for payment.ErrUnknown, which the table's
// readers wrap with its cause.
var errUnknown = payment.ErrUnknown

// meaning judges a signed refusal.
func meaning(code, sub string) error {
	sub = strings.ToUpper(sub)
	if code == codeBusy {
		return payment.ErrBusy
	}
	if certain[code] {
		return errRejected
	}
	if code != codeBusiness || sub == "" {
		return errUnknown
	}
	if m, ok := meanings[sub]; ok {
		return m
	}
	// isp and aop are Alipay's own troubles, not our mistakes.
	if strings.HasPrefix(sub, "ISP.") || strings.HasPrefix(sub, "AOP.") {
		return errUnknown
	}
	return errRejected
}

// settingsAtFault is what to check for the gateway's codes that blame our settings.
var settingsAtFault = map[string]string{
	"ISV.INVALID-SIGNATURE":            "Check that appPrivateKey belongs to appId, and that the app's public key was uploaded to Alipay.",
	"ISV.MISSING-SIGNATURE":            "Check appPrivateKey.",
	"ISV.INVALID-SIGNATURE-TYPE":       "Set the app's signature type to RSA2 at Alipay.",
	"ISV.MISSING-SIGNATURE-KEY":        "Upload the app's public key to Alipay.",
	"ISV.INVALID-APP-ID":               "Check appId, and that gatewayUrl is the gateway of that app.",
	"ISV.MISSING-APP-ID":               "Check appId.",
	"ISV.INVALID-APP-AUTH-TOKEN":       "Check what the app was authorized for at Alipay.",
	"ISV.INSUFFICIENT-ISV-PERMISSIONS": "Sign the product for this app at Alipay, or check appId.",
	"ISV.INVALID-CLOUD-APP-PERMISSION": "Check what the app is permitted at Alipay.",
	"ACQ.ACCESS_FORBIDDEN":             "Sign the product for this app at Alipay, or check appId.",
	"ACQ.PARTNER_ERROR":                "Check sellerId and appId, and that the app is bound to the account.",
}

// misconfigured is the error of an answer that blames our settings, nil of others.
func misconfigured(s said) error {
	check, found := settingsAtFault[strings.ToUpper(s.SubCode)]
	if !found {
		return nil
	}
	return unknown(&payment.MisconfiguredError{Code: short(s.SubCode, 64), Message: short(s.SubMsg, 256), Check: check})
}

// refusal is the error of a signed answer that says no.
func refusal(s said) error {
	code, sub := short(s.Code, 16), short(s.SubCode, 64)
	switch m := meaning(code, sub); {
	case errors.Is(m, errRejected):
		r := &payment.RejectedError{Code: sub, Message: short(s.SubMsg, 256), Check: settingsAtFault[strings.ToUpper(sub)]}
		if r.Code == "" {
			r.Code = code
		}
		if r.Message == "" {
			r.Message = short(s.Msg, 256)
		}
		return r
	case errors.Is(m, errUnknown):
		return unknown(fmt.Errorf("code %s %s", code, sub))
	default:
		return fmt.Errorf("%w: code %s %s", m, code, sub)
	}
}

// unsigned is the error of an answer that nobody has signed.
func unsigned(s said) error {
	if err := misconfigured(s); err != nil {
		return err
	}
	code, sub := short(s.Code, 16), short(s.SubCode, 64)
	if code == codeBusy {
		return fmt.Errorf("%w: code %s %s", payment.ErrBusy, code, sub)
	}
	return unknown(fmt.Errorf("the answer is not signed: code %s %s", code, sub))
}

// unknown wraps the cause of an unknown outcome; errors.Is finds both.
func unknown(cause error) error { return fmt.Errorf("%w: %w", payment.ErrUnknown, cause) }

var errNotProtocol = errors.New("the answer is not what the protocol says")

// cause strips an error of whatever might carry a URL or a body.
func cause(err error) error {
	var atURL *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &atURL):
		return atURL.Err
	default:
		return errors.New("the answer was cut off")
	}
}

// only turns a meaning that a call cannot have into an unknown outcome, and
// leaves only its text in it.
func only(err error, may ...error) error {
	for _, m := range [...]error{
		payment.ErrPaid, payment.ErrClosed, payment.ErrNotExist, payment.ErrShort, payment.ErrNoBill, errState,
	} {
		if errors.Is(err, m) && !slices.Contains(may, m) {
			return unknown(errors.New(err.Error()))
		}
	}
	return err
}

// rejected is our own certain no to a request that Alipay would refuse.
func rejected(format string, args ...any) error {
	return &payment.RejectedError{Code: "ACQ.INVALID_PARAMETER", Message: fmt.Sprintf(format, args...)}
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
