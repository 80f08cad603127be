package kinds_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/channel/alipay"
	"github.com/tandem-pay/tandem/channel/kinds"
	"github.com/tandem-pay/tandem/channel/settings"
	"github.com/tandem-pay/tandem/channel/wechatpay"
)

// fields are the settings of each kind: a kind without a line here fails.
var fields = map[string][]settings.Field{
	wechatpay.Kind: settings.Of[wechatpay.Config](),
	alipay.Kind:    settings.Of[alipay.Config](),
}

// filled are settings in which each string is a marker of its own. Markers of
// secrets begin with "secret".
func filled(fields []settings.Field, path string, secret, public *[]string) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		at := path + "-" + f.Name
		switch {
		case len(f.Fields) > 0 && f.List:
			out[f.Name] = []any{filled(f.Fields, at+"-0", secret, public), filled(f.Fields, at+"-1", secret, public)}
		case len(f.Fields) > 0:
			out[f.Name] = filled(f.Fields, at, secret, public)
		case f.Secret:
			out[f.Name] = "secret" + at
			*secret = append(*secret, "secret"+at)
		default:
			out[f.Name] = "public" + at
			*public = append(*public, "public"+at)
		}
	}
	return out
}

// TestSecretsAreMasked: no secret of any kind comes back when its settings
// are read, and everything else does.
func TestSecretsAreMasked(t *testing.T) {
	for _, k := range kinds.All(kinds.Options{Now: time.Now}) {
		var secret, public []string
		in := filled(fields[k.Kind], "", &secret, &public)
		in["kind"] = k.Kind
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		masked, err := k.Mask(raw)
		if err != nil {
			t.Fatalf("%s: %v", k.Kind, err)
		}
		if len(secret) == 0 {
			t.Errorf("%s has no secret", k.Kind)
		}
		for _, s := range secret {
			if strings.Contains(string(masked), `"`+s+`"`) {
				t.Errorf("%s shows %s: %s", k.Kind, s, masked)
			}
		}
		for _, s := range public {
			if !strings.Contains(string(masked), `"`+s+`"`) {
				t.Errorf("%s hides %s: %s", k.Kind, s, masked)
			}
		}
	}
}

// TestKindsAreTested: each kind passes the suite of all channels, and what it
// reads from outside is fuzzed: a package that forgot would pass every test
// that it has.
func TestKindsAreTested(t *testing.T) {
	for _, k := range kinds.All(kinds.Options{Now: time.Now}) {
		var tests strings.Builder
		files, err := filepath.Glob(filepath.Join("..", k.Kind, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
		for _, want := range []string{"channeltest.Run(t,", "func FuzzRead(f *testing.F)"} {
			if !strings.Contains(tests.String(), want) {
				t.Errorf("the tests of channel/%s have no %s", k.Kind, want)
			}
		}
	}
}

// soundsSecret are names that secrets have; public keys are none.
var soundsSecret = regexp.MustCompile(`(?i)(private|secret|password|token|apiv3key|symmetric)`)

// TestNamesOfSecrets: a setting whose name sounds like a secret is marked as
// one, and what is documented has every setting of every kind.
func TestNamesOfSecrets(t *testing.T) {
	var check func(kind, doc string, fields []settings.Field)
	check = func(kind, doc string, fields []settings.Field) {
		for _, f := range fields {
			if soundsSecret.MatchString(f.Name) && !f.Secret {
				t.Errorf("%s: %s is not marked as a secret", kind, f.Name)
			}
			if !strings.Contains(doc, "`"+f.Name+"`") {
				t.Errorf("%s: %s is not documented in %s", kind, f.Name, doc)
			}
			check(kind, doc, f.Fields)
		}
	}
	for _, k := range kinds.All(kinds.Options{Now: time.Now}) {
		check(k.Kind, strings.Join(k.Settings, ", "), fields[k.Kind])
	}
}
