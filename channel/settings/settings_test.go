package settings_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/channel/settings"
)

type config struct {
	ID     string `json:"id" doc:"who we are"`
	Key    string `json:"key" doc:"signs" secret:"true"`
	Inner  []part `json:"inner,omitempty"`
	One    *part  `json:"one,omitempty"`
	hidden string
}

type part struct {
	Serial string `json:"serial"`
	Token  string `json:"token,omitempty" secret:"true"`
}

func TestOf(t *testing.T) {
	inner := []settings.Field{{Name: "serial"}, {Name: "token", Optional: true, Secret: true}}
	want := []settings.Field{
		{Name: "id", Doc: "who we are"}, {Name: "key", Doc: "signs", Secret: true},
		{Name: "inner", Optional: true, List: true, Fields: inner}, {Name: "one", Optional: true, Fields: inner},
	}
	if diff := cmp.Diff(want, settings.Of[config]()); diff != "" {
		t.Error(diff)
	}
}

// TestMasked: secrets are masked at every depth, what is empty stays empty,
// and the original is not touched.
func TestMasked(t *testing.T) {
	c := config{ID: "id", Key: "k", Inner: []part{{"s", "t"}, {"u", ""}}, One: &part{"v", "w"}, hidden: "h"}
	want := config{ID: "id", Key: settings.Mask, Inner: []part{{"s", settings.Mask}, {"u", ""}}, One: &part{"v", settings.Mask}, hidden: "h"}
	if diff := cmp.Diff(want, settings.Masked(c), cmp.AllowUnexported(config{})); diff != "" {
		t.Error(diff)
	}
	if c.Key != "k" || c.Inner[0].Token != "t" || c.One.Token != "w" {
		t.Errorf("the original is masked: %+v", c)
	}
	if diff := cmp.Diff(config{}, settings.Masked(config{}), cmp.AllowUnexported(config{})); diff != "" {
		t.Error(diff)
	}
}
