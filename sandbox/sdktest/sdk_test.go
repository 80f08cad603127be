// Package sdktest holds the sandbox to programs in another language: it runs
// the SDKs for WeChat Pay and Alipay that JavaScript's shops use, as their
// registry publishes them, against a sandbox set up as "tandem sandbox" is. The
// scripts beside it use the SDKs' public functions alone and configure nothing
// but the keys and the base URL. What the SDKs verify and decrypt, they verify
// and decrypt themselves.
//
// The versions of the SDKs and of all that they need are those of
// package-lock.json. They are installed into node_modules, which is not kept
// under version control, when what is there is not what the lock file says;
// otherwise no network is needed. No package's install script is run. Of
// urllib, which alipay-sdk wants in any version 4, the lock file has the last
// one that runs on Node 18 too, the one of Debian 12.
//
// The pages in docs that explain how to use the sandbox are tested here too.
//
// alipay-sdk writes the computer's local time into requests and the gateway
// reads it as China's, so the scripts run in that zone.
//
// The whole takes a few seconds, the first time with the download of 10 MB.
package sdktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/clock"
	"github.com/tandem-pay/tandem/sandbox"
)

// step is a step of a script and what must come of it: JSON in which a string
// between slashes is a regular expression.
type step struct{ name, want string }

func TestWechatpayAxiosPlugin(t *testing.T) {
	play(t, "wechatpay.mjs", []step{
		{"prepay", `"/weixin://wxpay/bizpayurl\\?pr=\\w+/"`},
		{"prepay by public key", `["/weixin://wxpay/bizpayurl\\?pr=\\w+/", true]`},
		{"answered by a key that the shop does not hold", `[200, "EV3_RES_HEADER_PLATFORM_SERIAL"]`},
		{"prepay of jsapi", `"/wx\\w{34}/"`},
		{"query of what is open", `["NOTPAY", null, 888]`},
		{"pay", `["paid", 888]`},
		{"callback", `["TRANSACTION.SUCCESS", "transaction", "SUCCESS", "NATIVE", 888, "a=1", true, true]`},
		{"query of what is paid", `["SUCCESS", 888, "/4200\\d{24}/"]`},
		{"query by their number", `"WX_NODE_1"`},
		{"close", `204`},
		{"query of what is closed", `"CLOSED"`},
		{"close of what is paid", `[400, "ORDERPAID"]`},
		{"query of what never was", `[404, "ORDER_NOT_EXIST"]`},
		{"a wrong field", `[400, "PARAM_ERROR"]`},
		{"a wrong serial", `[401, "SIGN_ERROR"]`},
		{"corrupt signature", `[200, "EV3_RES_HEADER_SIGNATURE_DIGEST"]`},
		{"signature test", `[200, "EV3_RES_HEADER_SIGNATURE_DIGEST"]`},
		{"no signature", `[204, "EV3_RES_HEADERS_INCOMPLATE"]`},
		{"server error", `[500, "SYSTEM_ERROR"]`},
		{"corrupt callback, then the true one", `[false, true, "JSAPI", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"]`},
		{"refund", `["PROCESSING", 300, "WX_NODE_R1"]`},
		{"too large a refund", `[400, "INVALID_REQUEST"]`},
		{"refund callback", `["REFUND.SUCCESS", "refund", "SUCCESS", 300, "WX_NODE_R1"]`},
		{"refund query", `["SUCCESS", 300, 888, "ORIGINAL"]`},
		{"certificates", `[true]`},
		{"bill too early", `[400, "STATEMENT_CREATING"]`},
		{"bill", `["SHA1", true, ["WX_NODE_1 REFUND 0.00 3.00", "WX_NODE_1 SUCCESS 8.88 0.00", "WX_NODE_JS SUCCESS 8.88 0.00"], "3", "17.76"]`},
		{"packed bill", `["SHA1", true, ["WX_NODE_1 REFUND 0.00 3.00", "WX_NODE_1 SUCCESS 8.88 0.00", "WX_NODE_JS SUCCESS 8.88 0.00"], "3", "17.76"]`},
		{"a callback after the clock was moved", `true`},
	})
}

func TestAlipaySDK(t *testing.T) {
	play(t, "alipay.mjs", []step{
		{"precreate", `["10000", "ALI_NODE_1", "/https://qr\\.alipay\\.com/bax\\w+/"]`},
		{"query before the scan", `["40004", "ACQ.TRADE_NOT_EXIST", null]`},
		{"close before the scan", `["40004", "ACQ.TRADE_NOT_EXIST"]`},
		{"scan", `"open"`},
		{"query after the scan", `["WAIT_BUYER_PAY", "8.88"]`},
		{"pay", `"paid"`},
		{"callback", `[true, true, "TRADE_SUCCESS", "8.88", "茶 & <cup>", true, true]`},
		{"query of what is paid", `["TRADE_SUCCESS", "8.88", "8.88", true, "string"]`},
		{"precreate again", `["40004", "ACQ.TRADE_HAS_SUCCESS"]`},
		{"close of what is paid", `["40004", "ACQ.TRADE_STATUS_ERROR"]`},
		{"refund", `["Y", "3.00"]`},
		{"the same refund again", `["N", "3.00"]`},
		{"refund callback", `[true, "TRADE_SUCCESS", "3.00", "ALI_NODE_R1"]`},
		{"refund query", `["REFUND_SUCCESS", "3.00", "8.88"]`},
		{"query of a refund that never was", `["10000", null]`},
		{"too large a refund", `["40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"]`},
		{"close", `["10000", "TRADE_CLOSED"]`},
		{"page opened by its link", `[200, "/\\/pay\\/\\w+/", true, "WAIT_BUYER_PAY"]`},
		{"page paid", `[null, true, "TRADE_SUCCESS", "茶 100%"]`},
		{"app opened by its order string", `["ALI_NODE_APP", "app"]`},
		{"corrupt signature", `["AlipayRequestError", "验签失败"]`},
		{"server error", `["AlipayRequestError", "HTTP 请求错误"]`},
		{"corrupt callback, then the true one", `[false, false, true, "TRADE_SUCCESS"]`},
		{"another merchant's key", `["40002", "isv.invalid-signature"]`},
		{"an unknown method", `["40002", "isv.invalid-method"]`},
		{"bill too early", `["40004", "isp.invalid_arguments"]`},
		{"bill", `[200, "application/zip", "PK\u0003\u0004"]`},
	})
}

// limit is how long a script may take. It ends one that waits for a callback
// which does not come.
const limit = 4 * time.Minute

var (
	installed = sync.OnceValue(install)
	keys      = sync.OnceValues(func() (*sandbox.Keys, error) { return sandbox.GenerateKeys(nil, time.Now()) })
)

// play lets a script talk to a gateway of its own and compares what came of
// each step.
func play(t *testing.T, script string, steps []step) {
	t.Parallel()
	if err := installed(); err != nil {
		t.Fatal(err)
	}
	g, server := open(t)
	ali := g.Alipay().Merchant()
	ali.GatewayURL = server.URL + "/gateway.do"
	settings, err := json.Marshal(map[string]any{"baseUrl": server.URL, "wechatpay": g.Keys().WechatPay.Merchant(), "alipay": ali})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	node := exec.CommandContext(ctx, "node", script)
	node.Env = append(os.Environ(), "TZ=Asia/Shanghai", "NO_PROXY=127.0.0.1", "NODE_OPTIONS=")
	node.Stdin = bytes.NewReader(settings)
	var said bytes.Buffer
	node.Stderr = &said
	out, err := node.Output()
	if err != nil {
		t.Errorf("node %s: %v\n%s", script, err, &said)
	}
	got := map[string]any{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s wrote %q: %v", script, out, err)
	}
	for _, s := range steps {
		var want any
		if err := json.Unmarshal([]byte(s.want), &want); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if came, ok := got[s.name]; !ok {
			t.Errorf("%s: the script did not come to it", s.name)
		} else if !fits(want, came) {
			t.Errorf("%s: got %s, want %s", s.name, jsonOf(came), s.want)
		}
		delete(got, s.name)
	}
	for name := range got {
		t.Errorf("%s: nothing is expected of it", name)
	}
}

// open starts a gateway as "tandem sandbox" does, until the test ends.
func open(t *testing.T) (*sandbox.Gateway, *httptest.Server) {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	clock := clock.New()
	// To noon in China: the steps of a script, which move it by minutes, are
	// all of one day and in one bill.
	clock.Advance(untilNoon(time.Now()))
	g := sandbox.New(sandbox.Options{
		Clock: clock, APITime: time.Now, CallbackTime: time.Now, Keys: k, Advance: func(d time.Duration) { clock.Advance(d) },
	})
	server := httptest.NewServer(g.Handler())
	ran := make(chan error, 1)
	go func() { ran <- g.Run(context.Background()) }()
	t.Cleanup(func() {
		g.Close()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return g, server
}

// untilNoon is how long it is until noon in China.
func untilNoon(now time.Time) time.Duration {
	const day = 24 * time.Hour
	return (4*time.Hour - now.Sub(now.Truncate(day)) + day) % day // noon is 04:00 UTC
}

// fits compares decoded JSON.
func fits(want, got any) bool {
	switch w := want.(type) {
	case string:
		g, ok := got.(string)
		if pattern, is := strings.CutPrefix(w, "/"); is && strings.HasSuffix(pattern, "/") {
			return ok && regexp.MustCompile("^(?:"+strings.TrimSuffix(pattern, "/")+")$").MatchString(g)
		}
		return ok && g == w
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !fits(w[i], g[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, got)
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// install brings the SDKs of the lock file into node_modules, unless they are
// there.
func install() error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w: run scripts/setup (Node 18.19 or newer, with npm)", err)
		}
	}
	want, err := lock("package-lock.json")
	if err != nil {
		return err
	}
	// npm writes this file when it is done.
	if have, err := lock("node_modules/.package-lock.json"); err == nil && reflect.DeepEqual(want, have) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	have, err := lock("node_modules/.package-lock.json")
	if err == nil && !reflect.DeepEqual(want, have) {
		err = fmt.Errorf("npm ci has installed something else than package-lock.json says")
	}
	return err
}

// lock reads which packages a lock file names: by their folders, what tells
// one version of a package from another.
func lock(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := map[string]string{}
	for folder, p := range file.Packages {
		if folder != "" { // the root is ourselves
			out[folder] = p.Version + " " + p.Integrity
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %w: it names no package", path, fs.ErrInvalid)
	}
	return out, nil
}
