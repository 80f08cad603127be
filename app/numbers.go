package app

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/tandem-pay/tandem/payment"
)

// The first digit of a number says what it is of.
const (
	orderDigit   = '1'
	paymentDigit = '2'
	refundDigit  = '3'

	// A second transaction under a payment's number has a payment of its own.
	repeatDigit = '7'

	// Refunds that Tandem makes by itself. A payment can have each only once,
	// so that their numbers are derived from its own, see derivedNumber.
	lateDigit   = '4'
	excessDigit = '5'
	closedDigit = '6'
)

// IsRepeat says whether the number is that of a second transaction.
func IsRepeat(paymentNo string) bool { return paymentNo != "" && paymentNo[0] == repeatDigit }

var causeDigits = map[payment.Cause]byte{payment.LatePayment: lateDigit, payment.Overpayment: excessDigit, payment.OrderClosed: closedDigit}

// derivedNumber is the number of an automatic refund: the payment's, with
// another first digit. Two instances that decide the same make the same
// number, and only one of them can write it.
func derivedNumber(cause payment.Cause, paymentNo string) string {
	if !ValidNumber(paymentNo) { // not made here, as in books that were moved here
		return string(causeDigits[cause]) + paymentNo
	}
	b := []byte(paymentNo[:len(paymentNo)-1])
	b[0] = causeDigits[cause]
	return string(append(b, checkDigit(b)))
}

// newNumber makes a number of 29 digits: the kind, the UTC time to the
// millisecond, ten random digits, a check digit. Numbers sort by time, are
// made without coordination, and ten random digits a millisecond cannot be
// guessed in volume. It fits what every channel takes (at most 32 letters
// and digits).
func newNumber(kind byte, now time.Time, rand io.Reader) (string, error) {
	var r [8]byte
	if _, err := io.ReadFull(rand, r[:]); err != nil {
		return "", fmt.Errorf("random digits: %w", err)
	}
	now = now.UTC()
	b := make([]byte, 0, 29)
	b = append(b, kind)
	b = now.AppendFormat(b, "20060102150405")
	b = fmt.Appendf(b, "%03d%010d", now.Nanosecond()/1e6, binary.BigEndian.Uint64(r[:])%1e10)
	return string(append(b, checkDigit(b))), nil
}

// FirstOrderNumber is what every number of an order made at a time or later
// is not less than. Numbers are made a moment before their command is decided.
func FirstOrderNumber(at time.Time) string {
	at = at.UTC()
	return string(fmt.Appendf(at.AppendFormat([]byte{orderDigit}, "20060102150405"), "%03d", at.Nanosecond()/1e6))
}

// NumberSlack is more than the time that a command waits for its turn.
const NumberSlack = time.Hour

// ValidNumber says whether the check digit of a number is right: a mistyped
// digit or two swapped neighbours never pass.
func ValidNumber(no string) bool {
	if len(no) != 29 {
		return false
	}
	for i := range len(no) {
		if no[i] < '0' || no[i] > '9' {
			return false
		}
	}
	return checkDigit([]byte(no[:28])) == no[28]
}

// damm is the totally antisymmetric quasigroup of H. M. Damm (2004): it
// finds every single wrong digit and every swap of two neighbours.
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

func checkDigit(digits []byte) byte {
	var interim byte
	for _, d := range digits {
		interim = damm[interim][d-'0']
	}
	return '0' + interim
}
