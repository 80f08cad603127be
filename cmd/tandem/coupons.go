package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/marketing"
)

// couponsCmd is tandem coupons.
type couponsCmd struct {
	Issue  couponsIssueCmd  `cmd:"" help:"Issue many coupons with random codes."`
	Import couponsImportCmd `cmd:"" help:"Issue the coupons of a CSV file; those that exist already stay as they are."`
	Export couponsExportCmd `cmd:"" help:"Write the coupons of a template as CSV."`
	Revoke couponsRevokeCmd `cmd:"" help:"Withdraw the coupons of a template."`
}

type templateFlags struct {
	shopFlags
	Template string `required:"" env:"-" help:"The coupon template."`
}

// progress is a bar on a terminal, and nothing anywhere else; total is -1 when it is unknown.
func progress(s streams, what string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(
		total,
		progressbar.OptionSetWriter(s.err),
		progressbar.OptionSetVisibility(load.OnTerminal(s.err)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		// A bar of unknown length is drawn by a goroutine of its own, which is a
		// data race.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
}

// yield gives a server on the same SQLite file a chance to write: SQLite lets
// the waiting poll, up to 50 ms apart, and a loop that writes without a pause
// would keep it waiting for seconds. A database with locks needs none.
func (f *templateFlags) yield(batch int) {
	if f.DB == "" && batch%8 == 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// stopped is the error of a command that failed when it had done a part.
func stopped(done int, what string, err error) error {
	if done == 0 {
		return err
	}
	return fmt.Errorf("%w; %d were %s before", err, done, what)
}

type couponsIssueCmd struct {
	templateFlags
	Count  int    `required:"" help:"How many."`
	Prefix string `help:"Prefix of each code." placeholder:"P"`
	Job    string `help:"Name of the job: after a crash, repeat the command with it: it continues and issues nothing twice. Random when absent."`
	Out    string `help:"Write the codes to this CSV file; it must not exist, unless --job is given." placeholder:"FILE"`
}

func (c *couponsIssueCmd) Run(ctx context.Context, s streams) (err error) {
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	flag := os.O_EXCL // codes of another job are not overwritten
	if c.Job != "" {
		flag = os.O_TRUNC
	} else {
		c.Job = "job-" + strings.ToLower(rand.Text()[:12])
		fmt.Fprintf(s.err, "if this is interrupted, repeat it with --job %s\n", c.Job)
	}
	out, closed, err := create(c.Out, io.Discard, flag)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "code")
	bar, done, before, batches := progress(s, "issuing", c.Count), 0, 0, 0
	job := app.IssueJob{Name: c.Job, Template: c.Template, Prefix: c.Prefix, Count: c.Count}
	err = a.IssueMany(ctx, c.Shop, job, func(codes []string, again bool) error {
		for _, code := range codes {
			if _, err := out.WriteString(code + "\n"); err != nil {
				return err
			}
		}
		done += len(codes)
		batches++
		if again {
			before += len(codes)
		} else {
			c.yield(batches)
		}
		return bar.Add(len(codes))
	})
	_ = bar.Finish()
	if err = errors.Join(err, closed()); err != nil {
		return stopped(done, "issued", err)
	}
	fmt.Fprintf(s.out, "%d coupons of template %s are issued, %d of them before (job %s)\n", done, c.Template, before, c.Job)
	return nil
}

// create opens a file to write to, or takes what there is for no name. closed
// ends it; until then its content may not be there.
func create(name string, other io.Writer, flag int) (w *bufio.Writer, closed func() error, err error) {
	if name == "" {
		w = bufio.NewWriter(other)
		return w, w.Flush, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return nil, nil, err
	}
	w = bufio.NewWriterSize(f, 1<<16)
	return w, func() error { return errors.Join(w.Flush(), f.Sync(), f.Close()) }, nil
}

type couponsExportCmd struct {
	templateFlags
	Status string `help:"Only those: available, locked, used, expired or revoked." enum:",available,locked,used,expired,revoked" default:""`
	Out    string `help:"The file to write; standard output when absent." placeholder:"FILE"`
}

func (c *couponsExportCmd) Run(ctx context.Context, s streams) error {
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	out, closed, err := create(c.Out, s.out, os.O_TRUNC)
	if err != nil {
		return err
	}
	bar := progress(s, "exporting", -1)
	err = a.ExportCoupons(ctx, c.Shop, c.Template, marketing.Status(c.Status), out, func(n int) { _ = bar.Add(n) })
	_ = bar.Finish()
	return errors.Join(err, closed())
}

type couponsImportCmd struct {
	templateFlags
	File string `arg:"" type:"existingfile" help:"CSV with the header code or code,userId."`
}

// Run reads the file twice: nothing is issued before every line was
// checked.
func (c *couponsImportCmd) Run(ctx context.Context, s streams) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	total := 0
	if err := app.ReadCoupons(f, func(app.CouponLine) error { total++; return nil }); err != nil {
		return fmt.Errorf("%s, nothing is imported: %w", c.File, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	bar, made, there, batches := progress(s, "importing", total), 0, 0, 0
	lines := make([]app.CouponLine, 0, app.JobBatch)
	send := func() error {
		if len(lines) == 0 {
			return nil
		}
		n, before, err := a.ImportCoupons(ctx, c.Shop, c.Template, lines)
		if err != nil {
			return err
		}
		made, there, batches = made+n, there+before, batches+1
		_ = bar.Add(len(lines))
		c.yield(batches)
		lines = lines[:0]
		return nil
	}
	err = app.ReadCoupons(f, func(l app.CouponLine) error {
		if lines = append(lines, l); len(lines) < app.JobBatch {
			return nil
		}
		return send()
	})
	if err == nil {
		err = send()
	}
	_ = bar.Finish()
	if err != nil {
		return stopped(made+there, "imported", err)
	}
	fmt.Fprintf(s.out, "%d coupons of template %s are imported, %d were there already\n", made, c.Template, there)
	return nil
}

type couponsRevokeCmd struct{ templateFlags }

func (c *couponsRevokeCmd) Run(ctx context.Context, s streams) error {
	a, _, end, err := c.tool(ctx)
	if err != nil {
		return err
	}
	defer end()
	bar, revoked := progress(s, "revoking", -1), 0
	for cursor := ""; ; {
		r, err := a.RevokeTemplate(ctx, c.Shop, c.Template, cursor)
		if err != nil {
			_ = bar.Finish()
			return stopped(revoked, "revoked", err)
		}
		revoked += r.Revoked
		_ = bar.Add(r.Revoked)
		if cursor = r.NextCursor; cursor == "" {
			break
		}
		c.yield(0)
	}
	_ = bar.Finish()
	fmt.Fprintf(s.out, "%d coupons of template %s are revoked\n", revoked, c.Template)
	return nil
}
