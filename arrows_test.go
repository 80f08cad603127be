package tandem_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tandem-pay/tandem/"

// packages says what each package may import of the other packages. What stands
// nowhere here may not exist; "…/*" is a package with all below it.
var packages = map[string][]string{
	"money": {}, "fault": {}, "event": {}, "clock": {}, "seal": {},
	"pricing":   {"money", "fault"},
	"reconcile": {"payment", "money"},

	// The business: no clock, no I/O, no store.
	"shop":      {"money", "fault", "event"},
	"order":     {"money", "fault", "event", "pricing"},
	"payment":   {"money", "fault", "event", "pricing"},
	"marketing": {"money", "fault", "event", "pricing"},
	"inventory": {"money", "fault", "event", "pricing"},

	// How what they hold is stored.
	"format": {"money", "event", "pricing", "shop", "order", "payment", "marketing", "inventory", "reconcile"},

	// The unit of work, and every kind of row that it reads and changes.
	"unit": {"event", "fault"},
	"rows": {"unit", "format", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},

	"app":    {"unit", "rows", "format", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},
	"engine": {"unit", "fault"},

	// Offline work: it reads what app's ports give and changes things through
	// app's commands alone.
	"repricing": {"pricing", "shop", "order", "marketing"},
	"audit":     {"app", "unit", "rows", "event", "pricing", "order", "payment", "marketing", "inventory", "outbox", "repricing"},
	"bills":     {"app", "unit", "rows", "format", "fault", "payment", "reconcile"},
	"backtest":  {"app", "format", "money", "fault", "pricing", "order", "marketing", "inventory", "repricing"},

	"outbox":    {"app", "event", "fault", "rows", "shop", "unit"},
	"worker":    {"app", "fault", "shop"},
	"telemetry": {},

	"store/schema":    {},
	"store/postgres":  {"store/schema", "app", "unit", "rows", "format", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},
	"store/sqlite":    {"store/schema", "app", "unit", "rows", "format", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},
	"store/storetest": {"app", "unit", "rows", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},

	"channel/settings":    {},
	"channel/kinds":       {"app", "channel/alipay", "channel/guard", "channel/settings", "channel/wechatpay", "fault"},
	"channel/wechatpay":   {"channel/settings", "payment", "money", "fault"},
	"channel/alipay":      {"channel/settings", "payment", "money", "fault"},
	"channel/channeltest": {"payment"},
	"channel/guard":       {"payment"},

	// The gateway emulator knows nothing of the shop's code.
	"sandbox/random":      {},
	"sandbox/rsakey":      {},
	"sandbox/faults":      {},
	"sandbox/trade":       {"sandbox/faults", "sandbox/random"},
	"sandbox/wire":        {"sandbox/faults", "sandbox/random", "sandbox/trade"},
	"sandbox/wechatpay":   {"sandbox/faults", "sandbox/random", "sandbox/rsakey", "sandbox/trade", "sandbox/wire"},
	"sandbox/alipay":      {"sandbox/faults", "sandbox/random", "sandbox/rsakey", "sandbox/trade", "sandbox/wire"},
	"sandbox":             {"clock", "sandbox/faults", "sandbox/random", "sandbox/trade", "sandbox/wire", "sandbox/wechatpay", "sandbox/alipay"},
	"sandbox/sandboxtest": {"clock", "sandbox", "sandbox/faults", "sandbox/rsakey", "sandbox/wechatpay"},
	"sandbox/sdktest":     {"sandbox"},

	"api/rest": {"fault"},
	"api":      {"api/rest", "app", "rows", "bills", "format", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory", "reconcile"},
	"push":     {"app", "format", "event", "fault", "order", "outbox"},
	"checkout": {"app", "money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory"},
}

// pure are the packages of the business: they may not read the time, draw
// chance, or reach outside.
var pure = []string{"money", "fault", "event", "pricing", "shop", "order", "payment", "marketing", "inventory", "reconcile", "format"}

// reach are the packages of the standard library that pure packages stay away
// from. payment names net/http for the headers of a callback and context for
// its port; it calls neither.
var reach = []string{"os", "net", "net/http", "io/fs", "database/sql", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "context", "sync"}

var excused = map[string][]string{"payment": {"net/http", "context"}}

func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for d.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name, inside := strings.CutPrefix(p.ImportPath, module)
		top, _, _ := strings.Cut(name, "/")
		if !inside || top == "cmd" || top == "bench" || top == "internal" {
			continue // they wire everything
		}
		may, known := packages[name]
		if !known {
			t.Errorf("package %s is not on the plan", name)
			continue
		}
		seen++
		for _, i := range p.Imports {
			if ours, is := strings.CutPrefix(i, module); is {
				if !slices.Contains(may, ours) {
					t.Errorf("%s imports %s", name, ours)
				}
				continue
			}
			if slices.Contains(pure, name) {
				if slices.Contains(reach, i) && !slices.Contains(excused[name], i) {
					t.Errorf("%s is a pure package and imports %s", name, i)
				}
				if strings.Contains(i, ".") {
					t.Errorf("%s is a pure package and imports %s", name, i)
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("no package was checked")
	}
}

// TestNoClockInPurePackages finds a call of time.Now in the business.
func TestNoClockInPurePackages(t *testing.T) {
	args := []string{"-rnE", "--include=*.go", "--exclude=*_test.go", `time\.(Now|Since|Until|After|Sleep|Tick|NewTimer)\(`}
	out, err := exec.Command("grep", append(args, pure...)...).Output()
	if err == nil {
		t.Errorf("the business reads the clock:\n%s", out)
	}
}
