package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// places are where packages put the server's programs; distributions keep
// them off the PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBin finds the directory of initdb and postgres: what
// TANDEM_POSTGRES_BIN says, what is on the PATH, else the newest installed.
func findBin() (string, error) {
	if dir := os.Getenv("TANDEM_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	var found []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// Programs are often linked from elsewhere; their siblings are not.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, filepath.Dir(path))
		}
	}
	var installed []string
	for _, p := range places {
		dirs, _ := filepath.Glob(p) // the patterns are well formed
		installed = append(installed, dirs...)
	}
	slices.SortStableFunc(installed, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(found, installed...) {
		if isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", ErrNoPostgres
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// version is the first number in a path; 0 without one.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0]) // only digits; one too large sorts last
	return n
}
