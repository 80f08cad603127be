package checkout_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// These tests run the SDK and the page in a browser. They
// look for Chromium in $CHROMIUM, then under its usual names, and fail where
// there is none; -short skips them.

// pageTimeout is how long a condition on a page may take. Nothing waits that
// long unless it fails.
const pageTimeout = 3 * time.Minute

// browser is the one browser of the test binary; each test has a profile of
// its own in it.
var browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	if binary.dir != "" {
		_ = os.RemoveAll(binary.dir)
	}
	os.Exit(code)
}

func findChromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func startBrowser(path string) {
	dir, err := os.MkdirTemp("", "tandem-chromium-")
	if err != nil {
		browser.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(pageTimeout),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	browser.ctx, browser.err = ctx, chromedp.Do(ctx)
	browser.stop = func() {
		stopBrowser()
		stopAllocator()
		_ = os.RemoveAll(dir)
	}
}

// tab is a page in a browser profile.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab opens an empty page in a new profile.
func newTab(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	path := findChromium()
	if path == "" {
		t.Fatal("no Chromium found: `make setup` installs it, CHROMIUM names one, -short does without")
	}
	browser.once.Do(func() { startBrowser(path) })
	if browser.err != nil {
		t.Fatalf("Chromium at %s does not start: %v", path, browser.err)
	}
	return (&tab{t, browser.ctx}).open(chromedp.WithNewBrowserContext())
}

// sibling opens another page in the same profile.
func (p *tab) sibling() *tab {
	p.t.Helper()
	return p.open()
}

func (p *tab) open(options ...chromedp.ContextOption) *tab {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx, options...)
	p.t.Cleanup(cancel)
	// The first step binds the tab to its context, so it has no time limit.
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatal(err)
	}
	opened := &tab{p.t, ctx}
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*runtime.EventExceptionThrown); ok {
			p.t.Errorf("the page threw: %+v", e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return opened
}

// run runs steps, for at most pageTimeout.
func (p *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) visit(url string) {
	p.t.Helper()
	p.run(chromedp.Navigate(url))
}

// js evaluates an expression, a promise too, and decodes what it comes to.
func (p *tab) js(expression string, into any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise, chromedp.EvalAsValue))
	if err != nil {
		p.t.Fatalf("%s: %v", firstLine(expression), err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(raw, into); err != nil {
		p.t.Fatalf("%s is %s: %v", firstLine(expression), raw, err)
	}
}

// text evaluates an expression that is a string.
func (p *tab) text(expression string) (s string) {
	p.t.Helper()
	p.js(expression, &s)
	return s
}

// until waits until an expression is true.
func (p *tab) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(10*time.Millisecond), chromedp.WithPollingTimeout(pageTimeout))
	_, err := chromedp.Run(ctx, poll)
	for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "(-32000)") {
		// The page navigated away during the poll (the browser answers
		// with a mere server error): poll the new one.
		_, err = chromedp.Run(ctx, poll)
	}
	if err != nil {
		p.t.Fatalf("never came true: %s: %v\nthe page says:\n%s", expression, err, p.text("document.body.innerText"))
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
