package load

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Users is how many buyers there are.
const Users = 10_000

// couponsPerCall is the most that the API issues in one call.
const couponsPerCall = 1000

// Requirements is what a shop must have for a load.
type Requirements struct {
	Skus    int
	Coupons int64
	Users   bool // put the users; otherwise they are plain ones that nobody put
}

// Shop is a shop that is ready for load. It can be used again on a copy of
// its database, and with fewer skus.
type Shop struct {
	Name    string // begins its coupons' codes
	Skus    int
	Coupons int64
}

func sku(i int) string  { return fmt.Sprintf("bench-%05d", i+1) }
func user(i int) string { return fmt.Sprintf("buyer-%05d", i+1) }

func (s *Shop) coupon(i int64) string { return s.Name + "-" + strconv.FormatInt(i, 10) }

// Prepare puts what is required into the shop of the target.
func Prepare(ctx context.Context, t Target, w Requirements, p Progress) (*Shop, error) {
	s := &Shop{Name: "B" + rand.Text()[:8], Skus: w.Skus, Coupons: w.Coupons}
	steps := []job{{
		stage: "skus", total: int64(w.Skus), do: func(c *client, i int64) error {
			// Plenty of stock, and less than what a sku may have.
			body := fmt.Appendf(nil, `{"name":"Bench sku %d","price":%d,"categories":["bench"],"stock":%d}`, i+1, 1000+i%500, 900_000_000)
			return want(http.StatusOK)(c.call("PUT", "/v1/skus/"+sku(int(i)), body))
		},
	}}
	if w.Users {
		steps = append(steps, job{stage: "users", total: Users, do: func(c *client, i int64) error {
			return want(http.StatusOK)(c.call("PUT", "/v1/users/"+user(int(i)), []byte(`{"level":"silver","tags":["bench"]}`)))
		}})
	}
	if w.Coupons > 0 {
		template := "bench-" + s.Name
		steps = append(steps, job{stage: "coupon template", total: 1, do: func(c *client, _ int64) error {
			body := fmt.Appendf(nil, `{"id":%q,"name":"Bench","kind":"amount_off","amountOff":100,"threshold":1000}`, template)
			return want(http.StatusCreated)(c.post("/v1/coupon-templates", template, body))
		}}, job{stage: "coupons", total: (w.Coupons + couponsPerCall - 1) / couponsPerCall, do: func(c *client, i int64) error {
			var codes []string
			for n := i * couponsPerCall; n < min(w.Coupons, (i+1)*couponsPerCall); n++ {
				codes = append(codes, s.coupon(n))
			}
			body := fmt.Appendf(nil, `{"templateId":%q,"codes":["%s"]}`, template, strings.Join(codes, `","`))
			return want(http.StatusCreated)(c.post("/v1/coupons", fmt.Sprintf("%s/issue/%d", s.Name, i), body))
		}})
	}
	for _, j := range steps {
		j.strict = true
		if _, err := j.run(ctx, t, Pace{Clients: 16, For: 5 * time.Minute}, p); err != nil {
			return nil, fmt.Errorf("prepare the shop: %s: %w", j.stage, err)
		}
	}
	return s, nil
}

// PutChannel sets a channel up.
func PutChannel(ctx context.Context, t Target, name string, settings json.RawMessage) error {
	c, err := dial(ctx, t)
	if err != nil {
		return err
	}
	defer c.close()
	if err := want(http.StatusOK)(c.call("PUT", "/v1/channels/"+name, settings)); err != nil {
		return fmt.Errorf("set up the channel %s: %w", name, err)
	}
	return nil
}

// want makes an answer of another status an error.
func want(status int) func(int, []byte, error) error {
	return func(got int, body []byte, err error) error {
		if err == nil && got != status {
			err = refused(got, body)
		}
		return err
	}
}
