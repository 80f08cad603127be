package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-pay/tandem/internal/prepared"
	"github.com/tandem-pay/tandem/payment"
)

// tandem runs a command and gives its exit code and all that it printed.
func tandem(t *testing.T, args string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), strings.Fields(args), streams{&out, &out})
	return code, out.String()
}

// TestCommandLine: commands in a row on one database, their exit codes and a part
// of what they print.
func TestCommandLine(t *testing.T) {
	here := " --data " + filepath.Join(t.TempDir(), "d")
	t.Setenv("TANDEM_DOWN_TO", "0")
	t.Setenv("TANDEM_YES_DELETE_DATA", "true")
	t.Setenv("TANDEM_TEMPLATE", "any")
	for _, tt := range []struct {
		args string
		code int
		out  string
	}{
		{"version", 0, "tandem "},
		{"--help", 0, "serve"},
		{"--help", 0, "Exit codes: 0 done; 1 failed"},
		{"", 0, "Usage"},
		{"serve --help", 0, "--listen"},
		{"nonsense", 2, "nonsense"},
		{"serve --nonsense", 2, "nonsense"},
		{"audit --db mysql://x", 2, "postgres://"},
		{"migrate" + here, 0, "the tables are up to date"},
		{"migrate --down-to 0" + here, 2, "--yes-delete-data"},
		{"migrate --yes-delete-data" + here, 2, "--down-to"},
		{"migrate --down-to=-1 --yes-delete-data" + here, 2, "--down-to"},
		{"migrate --down-to 99 --yes-delete-data" + here, 1, "nothing to take back"},
		{"migrate --down-to 7 --yes-delete-data" + here, 0, "the tables are of schema 7 again"},
		{"keys list" + here, 1, "tandem migrate brings them up to date"},
		{"migrate --down-to 0 --yes-delete-data" + here, 0, "all tables are removed"},
		{"keys list" + here, 1, "no tables"},
		{"audit" + here, 1, "no tables"},
		{"migrate" + here, 0, "the tables are up to date"},
		{"keys add" + here, 0, "sk_"},
		{"keys list" + here, 0, "key_"},
		{"keys revoke key_none" + here, 1, "no key"},
		{"shops list" + here, 0, "default"},
		{"shops add second --currency EUR" + here, 0, "keys add --shop second"},
		{"shops add second" + here, 1, "already"},
		{"shops add a.b" + here, 2, "letters, digits, - or _"},
		{"shops add " + strings.Repeat("x", 65) + here, 2, "1 to 64"},
		{"shops add third --currency euro" + here, 2, "--currency"},
		{"keys add --shop second" + here, 0, "sk_"},
		{"shops list" + here, 0, "second   EUR"},
		{"keys list --shop typo" + here, 1, "there is no shop typo"},
		{"keys add --shop typo" + here, 1, "there is no shop typo"},
		{"keys list --shop ../x" + here, 2, "letters, digits, - or _"},
		{"channels list --shop typo" + here, 1, "there is no shop typo"},
		{"channels get x --shop typo" + here, 1, "there is no shop typo"},
		{"coupons export --template x --shop typo" + here, 1, "there is no shop typo"},
		{"reconcile --channel x --shop typo" + here, 1, "there is no shop typo"},
		{"audit --shop typo" + here, 1, "there is no shop typo"},
		{"coupons revoke" + here, 2, "--template"},
		{"coupons issue --count 1 --template none" + here, 1, "no coupon template"},
		{"channels list" + here, 0, "CHANNEL"},
		{"channels get wechatpay" + here, 1, "master key"},
		{"audit" + here, 0, "invariants hold"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, out := tandem(t, tt.args)
			if code != tt.code || !strings.Contains(out, tt.out) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tt.code, tt.out, out)
			}
			if strings.Contains(out, ": :") || strings.Contains(out, "::") || tt.code == 1 && strings.Contains(out, " are issued") {
				t.Errorf("it says\n%s", out)
			}
			if strings.Contains(out, "it/s") || strings.Contains(out, "\r") {
				t.Errorf("a progress bar without a terminal: %q", out)
			}
		})
	}
	if _, out := tandem(t, "shops list"+here); strings.Contains(out, "typo") || strings.Contains(out, "third") {
		t.Errorf("shops: %s", out)
	}
}

// TestMistypedFolder: a command that does not make a database leaves a folder
// that is not there as it is.
func TestMistypedFolder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "typo")
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte(`{"kind":"amount_off","name":"n","threshold":1,"amountOff":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"audit", "keys list", "keys add", "keys revoke key_x", "shops list", "shops add x", "channels list", "channels get x",
		"channels put x " + file, "coupons issue --template x --count 1", "coupons export --template x", "coupons revoke --template x",
		"reconcile --channel x", "migrate --down-to 0 --yes-delete-data", "backtest --promotion " + file + " --from 2026-11-01 --to 2026-11-02",
	} {
		code, out := tandem(t, args+" --data "+data)
		if code != 1 || !strings.Contains(out, "there is no database") {
			t.Errorf("%s: exit %d: %s", args, code, out)
		}
		if _, err := os.Stat(data); err == nil {
			t.Fatalf("%s made the folder", args)
		}
	}
	// On PostgreSQL the folder holds the master key only: it is not made either.
	url := pg.NewDatabase(t)
	for _, args := range []string{"channels get x", "reconcile --channel x"} {
		if code, out := tandem(t, args+" --db "+url+" --data "+data); code != 1 {
			t.Errorf("%s: exit %d: %s", args, code, out)
		}
		if _, err := os.Stat(data); err == nil {
			t.Fatalf("%s made the folder", args)
		}
	}
}

// TestReconcileExits: what could not be done is not what is left to do.
func TestReconcileExits(t *testing.T) {
	data := prepared.Data(t)
	_, stop := launched(t, func(c *serveCmd) { c.Data = data })
	if code, out := tandem(t, "reconcile --channel none --data "+data); code != 1 || !strings.Contains(out, "no channel") {
		t.Errorf("not configured: exit %d: %s", code, out)
	}
	stop()
	if code, out := tandem(t, "reconcile --channel wechatpay --data "+data); code != 1 || !strings.Contains(out, "no server with the sandbox") {
		t.Errorf("no sandbox: exit %d: %s", code, out)
	}
}

// TestReconcileLeavesDifferences: a payment that only the channel knows needs a
// person, and the exit says so.
func TestReconcileLeavesDifferences(t *testing.T) {
	data := prepared.Data(t)
	past := time.Now().Add(-72 * time.Hour)
	sv, _ := launched(t, func(c *serveCmd) { c.Data, c.At = data, past })
	ch, err := sv.book.Channel(t.Context(), "default", "wechatpay")
	if err != nil {
		t.Fatal(err)
	}
	pay := payment.PrepayRequest{
		PaymentNo: "UNKNOWN0000000001", Method: payment.Native, Amount: 100, Currency: "CNY", Description: "d",
		NotifyURL: sv.url + "/v1/notify/default/wechatpay", ExpiresAt: past.Add(time.Hour),
	}
	if _, err := ch.Channel.Prepay(t.Context(), pay); err != nil {
		t.Fatal(err)
	}
	if err := sv.sandbox.PaySilently(pay.PaymentNo); err != nil {
		t.Fatal(err)
	}
	day := payment.DayOf(sv.clock.Now(), ch.Zone()).String()
	c := sv.client(t)
	c.must(200, "POST", "/v1/test/clock", obj{"advance": "72h"})
	code, out := tandem(t, "reconcile --channel wechatpay --date "+day+" --data "+data)
	if code != 3 || !strings.Contains(out, "OPEN") || strings.Contains(out, "differences are left") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	audited(t, sv.db)
}

// TestFirstStarts: several first starts at once on one folder: on SQLite one of
// them serves, on PostgreSQL all do, with one master key.
func TestFirstStarts(t *testing.T) {
	for _, c := range []struct {
		name  string
		url   string
		serve int
	}{{"sqlite", "", 1}, {"postgres", pg.NewDatabase(t), 3}} {
		t.Run(c.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "new")
			var all sync.WaitGroup
			errs := make([]error, 3)
			for i := range errs {
				all.Go(func() {
					_, _, errs[i] = launch(t, func(cfg *serveCmd) { cfg.Data, cfg.DB, cfg.NoSandbox = data, c.url, true })
				})
			}
			all.Wait()
			served := 0
			for _, err := range errs {
				if err == nil {
					served++
				} else if !strings.Contains(err.Error(), "a SQLite database has one server") {
					t.Error(err)
				}
			}
			if served != c.serve {
				t.Errorf("%d serve, want %d: %v", served, c.serve, errs)
			}
			for _, name := range []string{"tandem.db", "tandem.db-wal", "tandem.db-shm", "master.key", "server.lock", "server.url"} {
				info, err := os.Stat(filepath.Join(data, name))
				if err == nil && info.Mode().Perm() != 0o600 {
					t.Errorf("%s has mode %o", name, info.Mode().Perm())
				}
				if err != nil && (c.url == "" || name == "master.key") {
					t.Error(err)
				}
			}
			if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder: %v, %v", info.Mode(), err)
			}
		})
	}
}
