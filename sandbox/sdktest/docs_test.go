package sdktest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents that explain how to use the sandbox.
var pages = []string{"../../docs/sandbox.md", "../../docs/sandbox.zh-CN.md"}

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	curlURL    = regexp.MustCompile(`\$S(/[^"\s]*)`)
	curlMethod = regexp.MustCompile(`-X (\w+)`)
	curlBody   = regexp.MustCompile(`-d '([^']*)'`)
	link       = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// Every curl command of the pages is one that the gateway understands. The
// trades and refunds that they name do not exist here, and it may say so.
func TestPagesCommands(t *testing.T) {
	_, server := open(t)
	commands := map[string][]string{}
	for _, page := range pages {
		for _, block := range shellBlock.FindAllStringSubmatch(read(t, page), -1) {
			for line := range strings.Lines(block[1]) {
				if strings.HasPrefix(line, "curl ") {
					commands[page] = append(commands[page], line)
				}
			}
		}
	}
	if !slices.Equal(commands[pages[0]], commands[pages[1]]) {
		t.Error("the commands of the two pages differ")
	}
	if len(commands[pages[0]]) < 20 {
		t.Fatalf("found only %d commands", len(commands[pages[0]]))
	}
	for _, command := range commands[pages[0]] {
		path := curlURL.FindStringSubmatch(command)
		if path == nil {
			t.Errorf("no address in %s", command)
			continue
		}
		method, body := http.MethodGet, ""
		if d := curlBody.FindStringSubmatch(command); d != nil {
			method, body = http.MethodPost, d[1]
		}
		if x := curlMethod.FindStringSubmatch(command); x != nil {
			method = x[1]
		}
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path[1], strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		about := strings.Contains(path[1], "$NO") || strings.Contains(path[1], "$REFUND")
		var no struct{ Code string }
		if res.StatusCode >= 400 && !(about && json.Unmarshal(answer, &no) == nil && no.Code == "not_found") {
			t.Errorf("%d %.200s\n%s", res.StatusCode, answer, command)
		}
	}
}

// Both pages have every fault and every operation, and no other.
func TestPagesFaults(t *testing.T) {
	_, server := open(t)
	res, err := http.Get(server.URL + "/sandbox/faults")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var has struct {
		Available []struct {
			Fault string
			Ops   []string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&has); err != nil || len(has.Available) == 0 {
		t.Fatal(has, err)
	}
	known := map[string]bool{}
	for _, f := range has.Available {
		known[f.Fault] = true
		for _, op := range f.Ops {
			known[op] = true
		}
	}
	name := regexp.MustCompile("`([a-z0-9_]+)`")
	for _, page := range pages {
		named := map[string]bool{}
		for line := range strings.Lines(faultTables(t, read(t, page))) {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
			for _, m := range name.FindAllStringSubmatch(first, -1) {
				if named[m[1]] = true; !known[m[1]] {
					t.Errorf("%s: there is no %q", page, m[1])
				}
			}
		}
		for n := range known {
			if !named[n] {
				t.Errorf("%s: nothing about %q", page, n)
			}
		}
	}
}

// faultTables is the part of a page between arming faults and chance.
func faultTables(t *testing.T, text string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, "$S/sandbox/arm")
	tables, _, ok2 := strings.Cut(after, "$S/sandbox/chaos")
	if !ok || !ok2 {
		t.Fatal("the page has no part about faults")
	}
	return tables
}

// What the pages point at is there.
func TestPagesLinks(t *testing.T) {
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
