package tandem_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLanguages checks that a document and its Chinese version have the same
// structure: headings of the same levels, code blocks, tables and generated
// parts, in the same order.
func TestLanguages(t *testing.T) {
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(documents, "README.md") {
		if strings.HasSuffix(file, ".zh-CN.md") {
			continue
		}
		t.Run(file, func(t *testing.T) {
			english := structure(t, file)
			chinese := structure(t, strings.TrimSuffix(file, ".md")+".zh-CN.md")
			for i := range max(len(english), len(chinese)) {
				e, c := at(english, i), at(chinese, i)
				if e.kind != c.kind {
					t.Fatalf("the structures differ:\n  English: %s\n  Chinese: %s", e, c)
				}
			}
		})
	}
}

// TestPictures checks that every picture of the documents exists and has an
// alternative text.
func TestPictures(t *testing.T) {
	picture := regexp.MustCompile(`!\[([^\]]*)\]\(([^)]*)\)`)
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, m := range picture.FindAllStringSubmatch(read(t, file), -1) {
				if m[1] == "" {
					t.Errorf("%s: %s has no alternative text", file, m[2])
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[2])); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}

// part is one part of a document's structure.
type part struct {
	kind string // the same in both languages
	line string // where it begins
}

func (p part) String() string { return p.kind + " at " + p.line }

func at(parts []part, i int) part {
	if i < len(parts) {
		return parts[i]
	}
	return part{"nothing", "the end"}
}

var (
	heading   = regexp.MustCompile(`^(#+) `)
	generated = regexp.MustCompile(`^<!-- (begin|end) \S+ -->`)
	tableRule = regexp.MustCompile(`^\|[-|]+$`)
)

// structure lists the parts of a document.
func structure(t *testing.T, file string) []part {
	t.Helper()
	var parts []part
	inCode := false
	for line := range strings.SplitSeq(read(t, file), "\n") {
		kind := ""
		switch {
		case strings.HasPrefix(line, "```"):
			inCode = !inCode
			if inCode {
				kind = "code block " + line
			}
		case inCode:
		case heading.MatchString(line):
			kind = "heading " + heading.FindStringSubmatch(line)[1]
		case generated.MatchString(line):
			kind = line
		case tableRule.MatchString(line):
			kind = "table " + line
		}
		if kind != "" {
			parts = append(parts, part{kind, line})
		}
	}
	return parts
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
