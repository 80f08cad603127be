package pricing

import (
	"slices"

	"github.com/tandem-pay/tandem/money"
)

// parameter is a member of Promotion that only some kinds use.
type parameter struct {
	ParameterInfo
	given func(p *Promotion) bool
	check func(p *Promotion, f *faults) // of one that is given
}

// ParameterInfo describes a parameter of a kind of promotion, or a member of
// the entries of one that is a list.
type ParameterInfo struct {
	Name     string          `json:"name" doc:"The member of a promotion"`
	Type     string          `json:"type" enum:"integer,percent,boolean,text,list" doc:"percent: a number with at most two decimals, and more than 0"`
	Required bool            `json:"required"`
	Min      int64           `json:"min,omitempty" doc:"integer: the least; text: characters; list: entries"`
	Max      int64           `json:"max,omitempty" doc:"percent and integer: the most; text: characters; list: entries"`
	Unit     string          `json:"unit,omitempty" enum:"money,goods,percent" doc:"money: minor units; goods: units of goods"`
	Label    string          `json:"label" doc:"In English"`
	LabelZh  string          `json:"labelZh" doc:"In Chinese"`
	Entries  []ParameterInfo `json:"entries,omitempty" doc:"list: the members of one entry"`
}

// The units that numbers are in.
const (
	unitMoney   = "money"
	unitGoods   = "goods"
	unitPercent = "percent"
)

func moneyInfo(name string, label bilingual) ParameterInfo {
	return ParameterInfo{
		Name: name, Type: "integer", Required: true, Min: 1, Max: money.Max, Unit: unitMoney, Label: label.en, LabelZh: label.zh,
	}
}

func goodsInfo(name string, least, most int64, label bilingual) ParameterInfo {
	return ParameterInfo{
		Name: name, Type: "integer", Required: true, Min: least, Max: most, Unit: unitGoods, Label: label.en, LabelZh: label.zh,
	}
}

func percentInfo(name string, label bilingual) ParameterInfo {
	return ParameterInfo{Name: name, Type: "percent", Required: true, Max: 100, Unit: unitPercent, Label: label.en, LabelZh: label.zh}
}

func skuInfo(name string, label bilingual) ParameterInfo {
	return ParameterInfo{Name: name, Type: "text", Required: true, Min: 1, Max: mostSku, Label: label.en, LabelZh: label.zh}
}

func listInfo(name string, most int64, label bilingual, entries ...ParameterInfo) ParameterInfo {
	return ParameterInfo{Name: name, Type: "list", Required: true, Min: 1, Max: most, Label: label.en, LabelZh: label.zh, Entries: entries}
}

// mostSku is the most characters that a rule takes for a sku.
const mostSku = 128

// minorUnits is a parameter in minor units, from 1 to money.Max.
func minorUnits(name string, label bilingual, of func(p *Promotion) int64) parameter {
	return number(moneyInfo(name, label), of)
}

// goods is a parameter in units of goods, from least to MaxQuantity.
func goods(name string, least int64, label bilingual, of func(p *Promotion) int64) parameter {
	return number(goodsInfo(name, least, MaxQuantity, label), of)
}

// number is a parameter that is a number. 0 cannot be distinguished from one that is
// absent.
func number(info ParameterInfo, of func(p *Promotion) int64) parameter {
	pointer := "/" + info.Name
	return parameter{
		ParameterInfo: info,
		given:         func(p *Promotion) bool { return of(p) != 0 },
		check:         func(p *Promotion, f *faults) { f.within(pointer, of(p), info.Min, info.Max) },
	}
}

// optional is the parameter where it may be left out.
func optional(p parameter) parameter {
	p.Required = false
	return p
}

func percentParameter(label bilingual) parameter {
	return parameter{
		ParameterInfo: percentInfo("percentOff", label),
		given:         func(p *Promotion) bool { return p.PercentOff != nil },
		check:         func(p *Promotion, f *faults) { f.percent("/percentOff", *p.PercentOff) },
	}
}

// everyParameter lists the parameters of all kinds, each once.
func everyParameter() []parameter {
	var all []parameter
	for _, k := range kinds {
		for _, u := range k.uses {
			if !slices.ContainsFunc(all, func(a parameter) bool { return a.Name == u.Name }) {
				all = append(all, u)
			}
		}
	}
	return all
}
