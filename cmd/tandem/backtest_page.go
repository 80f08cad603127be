package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"strings"

	"github.com/tandem-pay/tandem/backtest"
	"github.com/tandem-pay/tandem/money"
	"github.com/tandem-pay/tandem/pricing"
)

//go:embed backtest.html
var backtestHTML string

var backtestPage = template.Must(template.New("backtest").Funcs(template.FuncMap{
	"yuan": money.FormatYuan,
	"list": list,
	"share": func(g backtest.Group, all []backtest.Group) int64 { // per cent of the largest
		if g.Amount <= 0 || len(all) == 0 {
			return 0
		}
		return money.MulDiv(g.Amount, 100, all[0].Amount)
	},
	"seen": seen,
	"because": func(r pricing.Reason) template.HTML {
		return template.HTML(template.HTMLEscapeString(string(r))) + zh(reasonsInChinese[r]) //nolint:gosec // both parts are escaped
	},
	"zh": zh,
}).Parse(backtestHTML))

// zh is the Chinese beside an English text.
func zh(text string) template.HTML {
	if text == "" {
		return ""
	}
	return template.HTML(` <span lang="zh" class="zh">` + template.HTMLEscapeString(text) + `</span>`) //nolint:gosec // the text is escaped
}

var reasonsInChinese = map[pricing.Reason]string{
	pricing.LostToBetter: "互斥组中不敌", pricing.ThresholdNotMet: "未达门槛", pricing.NotEnoughUnits: "件数不足",
	pricing.NothingLeft: "已无可优惠金额", pricing.NotStackable: "不可叠加", pricing.NothingInScope: "无适用商品", pricing.TooManyGifts: "赠品过多",
	pricing.UserNotEligible: "用户不符", pricing.GiftOutOfStock: "赠品无货", pricing.BudgetSpent: "预算用尽",
}

// writeBacktestPage writes the report as one page.
func writeBacktestPage(file string, r *backtested) error {
	var b bytes.Buffer
	err := backtestPage.Execute(&b, map[string]any{"R": r, "Cost": costChart(r), "Burn": burnChart(r)})
	if err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// A chart is computed in tenths of a pixel, so that no amount becomes a float.
const (
	chartWidth, chartHeight = 9000, 2400
	chartLeft, chartTop     = 900, 120
)

type chart struct {
	Bars   []bar
	Line   string // points
	Area   string
	Mark   string // y of a limit; "" is none
	MarkAt string // what stands beside it
	Y      []tick
	X      []tick
	Zero   string // y
}

type bar struct{ X, Y, W, H, Title, Class string }

type tick struct{ At, Text string }

// pixels writes tenths of a pixel.
func pixels(tenths int64) string {
	if tenths < 0 {
		return "-" + pixels(-tenths)
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

// axis is a scale from low to high, both of which are multiples of a round
// step.
type axis struct{ low, high int64 }

func newAxis(low, high int64) (a axis, step int64) {
	const steps = 4
	step = 1
	for step*steps < max(high-low, 4) {
		switch step / power(step) {
		case 1, 5:
			step *= 2
		default: // 2
			step = step / 2 * 5
		}
	}
	floor := func(v int64) int64 {
		if v < 0 {
			return -((-v + step - 1) / step * step)
		}
		return v / step * step
	}
	return axis{floor(min(low, 0)), -floor(-max(high, step))}, step
}

// power is the largest power of ten that is not above v.
func power(v int64) int64 {
	p := int64(1)
	for v/p >= 10 {
		p *= 10
	}
	return p
}

// y is where an amount is drawn.
func (a axis) y(v int64) int64 {
	return chartTop + chartHeight - money.MulDiv(v-a.low, chartHeight, a.high-a.low)
}

func newChart(low, high int64, days []backtest.Day) (*chart, axis) {
	a, step := newAxis(low, high)
	c := &chart{Zero: pixels(a.y(0))}
	for v := a.low; v <= a.high; v += step {
		c.Y = append(c.Y, tick{pixels(a.y(v)), money.FormatYuan(v)})
	}
	every := (len(days) + 9) / 10
	for i := 0; i < len(days); i += every {
		c.X = append(c.X, tick{pixels(middle(i, len(days))), days[i].Day[5:]})
	}
	return c, a
}

// middle is where the i-th of n days is drawn.
func middle(i, n int) int64 { return chartLeft + int64(chartWidth*(2*i+1)/(2*n)) }

func costChart(r *backtested) *chart {
	var low, high int64
	for _, d := range r.Days {
		low, high = min(low, d.Cost), max(high, d.Cost)
	}
	c, a := newChart(low, high, r.Days)
	wide := max(5, int64(chartWidth/len(r.Days)*7/10))
	for i, d := range r.Days {
		top, bottom, class := a.y(max(d.Cost, 0)), a.y(min(d.Cost, 0)), "bar"
		if d.Cost < 0 {
			class = "bar less"
		}
		c.Bars = append(c.Bars, bar{
			pixels(middle(i, len(r.Days)) - wide/2), pixels(top), pixels(wide), pixels(bottom - top),
			fmt.Sprintf("%s: %s · %d", d.Day, money.FormatYuan(d.Cost), d.Touched), class,
		})
	}
	return c
}

func burnChart(r *backtested) *chart {
	var low, high int64
	for _, d := range r.Days {
		low, high = min(low, d.Spent), max(high, d.Spent)
	}
	budget := r.Promotion.Budget
	drawn := budget > 0 && budget <= 4*max(high, 1) // farther away it would press the line to the floor
	if drawn {
		high = max(high, budget)
	}
	c, a := newChart(low, high, r.Days)
	points := make([]string, len(r.Days))
	for i, d := range r.Days {
		points[i] = pixels(middle(i, len(r.Days))) + "," + pixels(a.y(d.Spent))
		c.Bars = append(c.Bars, bar{
			pixels(middle(i, len(r.Days)) - int64(chartWidth/len(r.Days))/2),
			pixels(chartTop), pixels(int64(chartWidth / len(r.Days))), pixels(chartHeight),
			fmt.Sprintf("%s: %s (+%s −%s)", d.Day, money.FormatYuan(d.Spent), money.FormatYuan(d.Given), money.FormatYuan(d.Returned)),
			"hover",
		})
	}
	c.Line = strings.Join(points, " ")
	c.Area = fmt.Sprintf(
		"%s,%s %s %s,%s", pixels(middle(0, len(r.Days))), c.Zero, c.Line, pixels(middle(len(r.Days)-1, len(r.Days))), c.Zero,
	)
	if drawn {
		c.Mark, c.MarkAt = pixels(a.y(budget)), money.FormatYuan(budget)
	}
	return c
}
