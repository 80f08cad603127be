package alipay

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Alipay signs bytes, in whatever charset it writes them: they are verified as
// they came, and decoded afterwards. GB18030 is read for GBK and GB2312, which it
// contains.

var errCharset = errors.New("the text is not in the charset that it says")

// isGBK says whether a charset is one of the GB family.
func isGBK(charset string) bool {
	switch strings.ToLower(strings.TrimSpace(charset)) {
	case "gbk", "gb2312", "gb18030", "x-gbk", "cp936":
		return true
	}
	return false
}

// decoded is a text of that charset in UTF-8.
func decoded(text, charset string) (string, error) {
	if !isGBK(charset) {
		if !utf8.ValidString(text) {
			return "", errCharset
		}
		return text, nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().String(text)
	if err != nil || strings.ContainsRune(out, utf8.RuneError) {
		return "", errCharset
	}
	return out, nil
}

// answerInGBK says whether an answer is in GBK: by its header, or because it
// cannot be UTF-8.
func answerInGBK(contentType string, body []byte) bool {
	if _, params, err := mime.ParseMediaType(contentType); err == nil && isGBK(params["charset"]) {
		return true
	}
	return !utf8.Valid(body)
}

// members takes the object apart. In GBK the second byte of a character can be a
// backslash or a brace, which no reader of JSON may see: the parts are found in a
// copy without such characters, and cut from the original.
func members(body []byte, gbk bool) (map[string]json.RawMessage, bool) {
	var parts map[string]json.RawMessage
	if !gbk {
		return parts, json.Unmarshal(body, &parts) == nil
	}
	plain := withoutGBK(body)
	if json.Unmarshal(plain, &parts) != nil {
		return nil, false
	}
	for name, part := range parts {
		at := bytes.Index(plain, part)
		if at < 0 {
			return nil, false
		}
		parts[name] = body[at : at+len(part)]
	}
	return parts, true
}

// withoutGBK has an x for each byte of a character beyond ASCII.
func withoutGBK(body []byte) []byte {
	plain := bytes.Clone(body)
	for i := 0; i < len(plain); {
		n := 1
		if plain[i] >= 0x80 {
			n = 2
			if i+1 < len(plain) && plain[i+1] >= '0' && plain[i+1] <= '9' {
				n = 4
			}
			n = min(n, len(plain)-i)
			for j := range n {
				plain[i+j] = 'x'
			}
		}
		i += n
	}
	return plain
}
