package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/tandem-pay/tandem/rows"

	"github.com/tandem-pay/tandem/fault"
	"github.com/tandem-pay/tandem/shop"
)

// Bounds on jobs. A batch is one command; a few are under way at a time, so
// that one is made while another commits.
const (
	// JobBatch is how many coupons one command of a job issues or imports.
	JobBatch  = 1000
	jobAtOnce = 4
	// MaxJob is how many coupons one job may issue.
	MaxJob = 100_000_000
)

// IssueJob is a great number of coupons with made-up codes that are nobody's.
type IssueJob struct {
	Name     string // the job goes on under it after a crash
	Template string
	Prefix   string // of each code
	Count    int
}

var prefixShape = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,39})?$`)

// IssueMany issues a job's coupons, batch after batch, and hands over the
// codes of each when it is committed, in the order of the batches; an error of
// each ends it. again says that the batch was issued before: a job that is
// begun again under its name, template, prefix and count repeats nothing, and
// gives the same codes. Each batch is issued whole or not at all, and before
// the first the template must have enough left for all.
//
// No event reports coupons that are issued. What a batch leaves beside them
// is one idempotency key with its codes, 20 bytes each.
func (a *App) IssueMany(ctx context.Context, shopID string, job IssueJob, each func(codes []string, again bool) error) error {
	if err := shop.CheckID("job", job.Name); err != nil {
		return err
	}
	if !prefixShape.MatchString(job.Prefix) {
		return fault.Invalidf("prefix", "at most 40 letters, digits, _ or -, beginning with a letter or digit")
	}
	if job.Count < 1 || job.Count > MaxJob {
		return fault.Invalidf("count", "from 1 to %d", MaxJob)
	}
	batches := (job.Count + JobBatch - 1) / JobBatch
	// The first is alone: it checks whether there are enough for all.
	for first, n := 0, 1; first < batches; first, n = first+n, jobAtOnce {
		n = min(n, batches-first)
		done := make([]issuedBatch, n)
		var wg sync.WaitGroup
		for i := range done {
			wg.Go(func() { done[i] = a.issueBatch(ctx, shopID, &job, first+i) })
		}
		wg.Wait()
		for i := range done {
			if done[i].err != nil {
				return done[i].err
			}
			if err := each(done[i].codes, done[i].again); err != nil {
				return err
			}
		}
	}
	return nil
}

type issuedBatch struct {
	codes []string
	again bool
	err   error
}

func (a *App) issueBatch(ctx context.Context, shopID string, job *IssueJob, n int) (b issuedBatch) {
	codes := madeUp(min(JobBatch, job.Count-n*JobBatch), job.Prefix, a.Rand)
	list := make([]newCoupon, len(codes))
	for i, code := range codes {
		list[i] = newCoupon{code: code, made: true}
	}
	c := &Command{
		Shop: shopID, Name: "issue a batch of coupons", Trace: a.Tracer.Parent(ctx),
		Key: fmt.Sprintf("coupons/issue/%s/%d", job.Name, n), Hash: Hash("issue job", job),
	}
	if b.err = a.foresee(ctx, c, job.Template, nil); b.err == nil {
		b.codes, b.again, b.err = Do(ctx, a, c, func(tx *Tx) ([]string, error) {
			if n == 0 {
				if err := enough(tx, job); err != nil {
					return nil, err
				}
			}
			_, err := issue(tx, job.Template, false, list)
			return codes, err
		})
	}
	if fault.Is(b.err, fault.IdempotencyKeyReused) {
		b.err = fault.New(fault.IdempotencyKeyReused, "the job %s was begun with another template, prefix or count; go on with those, or give the job another name", job.Name)
	}
	return b
}

// enough refuses a job for which its template has not enough left.
func enough(tx *Tx, job *IssueJob) error {
	if t := tx.Rules().Templates[job.Template]; t == nil || t.Supply == 0 {
		return nil
	}
	t, err := tx.Template(job.Template)
	if err != nil {
		return err
	}
	if left := t.Supply - t.Issued; int64(job.Count) > left {
		return fault.New(fault.CouponUnavailable, "template %s: %d of %d coupons are left, %d were requested", t.ID, left, t.Supply, job.Count)
	}
	return nil
}

// ImportCoupons issues the coupons of at most JobBatch lines of a file, all of
// them or none. Those that are there already, of this template and for this
// user, are left as they are and counted: a file can be imported again. What
// is refused names its line.
func (a *App) ImportCoupons(ctx context.Context, shopID, template string, lines []CouponLine) (made, there int, err error) {
	list := make([]newCoupon, len(lines))
	c := &Command{Shop: shopID, Name: "import coupons", Trace: a.Tracer.Parent(ctx)}
	for i := range lines {
		list[i] = newCoupon{code: lines[i].Code, user: lines[i].User}
		c.Needs.Add(rows.Coupons.Keys(lines[i].Code))
	}
	if err := a.foresee(ctx, c, template, list); err != nil {
		return 0, 0, err
	}
	made, _, err = Do(ctx, a, c, func(tx *Tx) (int, error) {
		fresh, err := absent(tx, template, lines)
		if err != nil || len(fresh) == 0 {
			return 0, err
		}
		if _, err := issue(tx, template, false, fresh); err != nil {
			if fault.Is(err, fault.CouponUnavailable) {
				err = atLine(lines[0].Line, lines[len(lines)-1].Line, err)
			}
			return 0, err
		}
		return len(fresh), nil
	})
	return made, len(lines) - made, err
}

// absent is what of the lines is not there yet.
func absent(tx *Tx, template string, lines []CouponLine) ([]newCoupon, error) {
	if tx.Rules().Templates[template] == nil {
		return nil, fault.New(fault.NotFound, "there is no coupon template %q", template)
	}
	fresh := make([]newCoupon, 0, len(lines))
	here := make(map[string]*CouponLine, len(lines))
	for i := range lines {
		l := &lines[i]
		if duplicate := here[l.Code]; duplicate != nil {
			if duplicate.User != l.User {
				return nil, atLine(l.Line, l.Line,
					fault.New(fault.AlreadyExists, "the code %s stands in line %d for another user", l.Code, duplicate.Line))
			}
			continue
		}
		here[l.Code] = l
		old, err := tx.Coupon(l.Code)
		if err != nil {
			return nil, err
		}
		switch {
		case old == nil:
			fresh = append(fresh, newCoupon{code: l.Code, user: l.User})
		case old.Data().TemplateID != template:
			return nil, atLine(l.Line, l.Line, fault.New(fault.AlreadyExists, "there is a coupon %s of template %s", l.Code, old.Data().TemplateID))
		case old.Data().User != l.User:
			return nil, atLine(l.Line, l.Line, fault.New(fault.AlreadyExists, "there is a coupon %s for another user", l.Code))
		}
	}
	return fresh, nil
}

// atLine says where in a file a refusal belongs.
func atLine(from, to int, err error) error {
	where := fmt.Sprintf("line %d", from)
	if to > from {
		where = fmt.Sprintf("lines %d to %d", from, to)
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return fmt.Errorf("%s: %w", where, err)
	}
	out := *f
	out.Message = where + ": " + f.Message
	return &out
}
