package channeltest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
)

// settingsTagged requires the settings to declare their secrets and nothing else
// as such.
func settingsTagged(s suite) {
	declared := secrets(reflect.ValueOf(s.Settings))
	for _, secret := range s.Secrets {
		if !slices.Contains(declared, secret) {
			s.Errorf("the settings do not declare a secret of %d characters", len(secret))
		}
	}
	if len(declared) != len(s.Secrets) || len(declared) == 0 {
		s.Errorf("the settings declare %d secrets, and the fixture has %d", len(declared), len(s.Secrets))
	}
}

// settingsHidden requires no secret to come out of the settings, neither as people
// read them nor as a log or an error prints them.
func settingsHidden(s suite) {
	masked, err := json.Marshal(s.Masked)
	s.must(err)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "channel", s.Settings)
	printed := map[string]string{"masked": string(masked), "slog": log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		printed[verb] = fmt.Sprintf(verb, s.Settings)
		printed[verb+" of a list"] = fmt.Sprintf(verb, []any{s.Settings})
	}
	for i, secret := range s.Secrets {
		// A key is several lines long: none of them may come out.
		for line := range strings.Lines(secret) {
			line = strings.TrimSpace(line)
			if len(line) < 8 || strings.HasPrefix(line, "-----") {
				continue
			}
			for by, text := range printed {
				if strings.Contains(text, line) {
					s.Errorf("secret %d comes out by %s", i, by)
				}
			}
		}
	}
}

// maskedShowsTheRest requires what is public to be readable: who configures a
// channel must see what is set.
func maskedShowsTheRest(s suite) {
	masked := texts(reflect.ValueOf(s.Masked))
	for _, text := range texts(reflect.ValueOf(s.Settings)) {
		if !slices.Contains(s.Secrets, text) && !slices.Contains(masked, text) {
			s.Errorf("%q cannot be read", text)
		}
	}
}

// secrets lists the texts that the settings, a struct, declare as secret.
func secrets(v reflect.Value) (all []string) {
	each(v, false, func(text string, secret bool) {
		if secret {
			all = append(all, text)
		}
	})
	return all
}

// texts lists all texts in the settings.
func texts(v reflect.Value) (all []string) {
	each(v, false, func(text string, _ bool) { all = append(all, text) })
	return all
}

// each visits the texts in v, at any depth.
func each(v reflect.Value, secret bool, visit func(text string, secret bool)) {
	switch v.Kind() { //nolint:exhaustive // the other kinds hold no texts
	case reflect.String:
		visit(v.String(), secret)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			each(v.Elem(), secret, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), secret, visit)
		}
	case reflect.Struct:
		for f, member := range v.Fields() {
			each(member, secret || f.Tag.Get("secret") == "true", visit)
		}
	}
}
