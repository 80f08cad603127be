// Command tandem is the whole of Tandem in one binary: the server, the
// sandbox gateway, and the tools that operators and developers run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "dev"

// cli is the command line. Every flag has an environment variable TANDEM_<FLAG>.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Sandbox   sandboxCmd   `cmd:"" help:"Run the payment gateway emulator alone, for any program in any language."`
	Bench     benchCmd     `cmd:"" help:"Drive load and report rates, latencies, and the result of the audit."`
	Audit     auditCmd     `cmd:"" help:"Check the invariants on a live database; exit 1 if any is violated."`
	Backtest  backtestCmd  `cmd:"" help:"Price a period's orders again as if a promotion had been live: what it would have cost."`
	Reconcile reconcileCmd `cmd:"" help:"Compare a day with a channel's bill; exit 3 if a difference needs a person."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database's tables up to date, or remove them."`
	Keys      keysCmd      `cmd:"" help:"List, add and revoke secret keys."`
	Shops     shopsCmd     `cmd:"" help:"List and make shops."`
	Channels  channelsCmd  `cmd:"" help:"List and set up payment channels."`
	Coupons   couponsCmd   `cmd:"" help:"Issue, import, export and revoke many coupons."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// streams is where a command reads and writes.
type streams struct {
	out io.Writer
	err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// exitCodes are the exit codes of every command.
const exitCodes = "Exit codes: 0 done; 1 failed (of audit and bench also: an invariant is violated); 2 wrong usage; " +
	"3 reconciled, and differences are left that need a person."

// run is main as a function; exitCodes says what it returns.
func run(ctx context.Context, args []string, s streams) (code int) {
	var c cli
	type exit int
	defer func() {
		if e, ok := recover().(exit); ok {
			code = int(e)
		}
	}()
	parser, err := kong.New(&c,
		kong.Name("tandem"),
		kong.Description("Orders and payments that never lose, double or misplace a cent.\n\n"+exitCodes),
		kong.DefaultEnvars("TANDEM"),
		kong.Writers(s.out, s.err),
		kong.Exit(func(status int) { panic(exit(status)) }), // --help
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(s.err, "tandem:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(s.err, "tandem: %v\ntry: tandem --help\n", err)
		return 2
	}
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(s); err != nil {
		var usage usageError
		if errors.Is(err, errDifferences) {
			return 3
		}
		if !errors.Is(err, errSilent) {
			fmt.Fprintln(s.err, "tandem:", err)
		}
		if errors.As(err, &usage) {
			return 2
		}
		return 1
	}
	return 0
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// errSilent fails a command that has already reported why.
var errSilent = errors.New("failed")

// errDifferences ends a reconciliation that was done and has reported what is
// left for a person.
var errDifferences = errors.New("differences are left")

type versionCmd struct{}

func (versionCmd) Run(s streams) error {
	fmt.Fprintln(s.out, "tandem", version)
	return nil
}
