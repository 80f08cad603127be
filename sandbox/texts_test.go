package sandbox

import (
	"net/http/httptest"
	"testing"
)

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ query, header, want string }{
		{"", "", "en"},
		{"", "zh-CN,zh;q=0.9,en;q=0.8", "zh"},
		{"", "en-US,en;q=0.9,zh;q=0.8", "en"},
		{"", "en;q=0.1, ZH-TW;q=0.2", "zh"},
		{"", "fr,de", "en"},
		{"", "fr, zh;q=0.5", "zh"},
		{"", "zh;q=0", "en"},
		{"", "zh;q=x,,;", "en"},
		{"?lang=zh", "en", "zh"},
		{"?lang=en", "zh", "en"},
		{"?lang=fr", "zh", "zh"},
	} {
		r := httptest.NewRequest("GET", "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.header)
		if got := language(r); got != c.want {
			t.Errorf("%q %q: %s", c.query, c.header, got)
		}
	}
	if len(texts["zh"]) != len(texts["en"]) {
		t.Error("the languages have different names")
	}
	for key := range texts["zh"] {
		if texts["en"][key] == "" {
			t.Errorf("no English for %q", key)
		}
	}
}
