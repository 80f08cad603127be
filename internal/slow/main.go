// Command slow reads what `go test -json` prints and names what took longest:
// packages and tests, with their seconds by the clock. Tests that run in
// parallel, or beside another package, wait for each other: their seconds add up
// to more than the run took.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// rows is how many packages and how many tests are named.
const rows = 30

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

func main() {
	ok, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "slow:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// report is the whole command; ok says that no package failed. What the tests
// that failed printed comes first.
func report(in io.Reader, out io.Writer) (ok bool, err error) {
	var packages, tests []event
	printed := map[[2]string][]string{}
	lines := bufio.NewReader(in)
	for ok = true; ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return false, fmt.Errorf("%q: %w", line, err)
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "output":
			printed[key] = append(printed[key], e.Output)
		case "pass", "fail":
			if e.Action == "fail" {
				ok = false
				for _, text := range printed[key] {
					fmt.Fprint(out, text)
				}
			}
			delete(printed, key)
			if e.Test == "" {
				packages = append(packages, e)
			} else {
				tests = append(tests, e)
			}
		}
	}
	for _, of := range [][]event{packages, tests} {
		slices.SortStableFunc(of, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
		for _, e := range of[:min(len(of), rows)] {
			fmt.Fprintf(out, "%8.2f s  %s %s\n", e.Elapsed, e.Package, e.Test)
		}
		fmt.Fprintln(out)
	}
	return ok, nil
}
