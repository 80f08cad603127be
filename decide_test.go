package tandem_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecisionsAssignToNothingOutside: the function that decides a command may
// run several times, of which only the last counts. It returns its result: a
// variable of the function around it would keep what a run left that did not
// count. A function literal decides if its first parameter is a *Tx.
func TestDecisionsAssignToNothingOutside(t *testing.T) {
	set := token.NewFileSet()
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok && takesTx(lit.Type) {
				seen++
				for _, id := range assignedOutside(lit) {
					t.Errorf("%s: a decision assigns to %s, which is declared outside of it", set.Position(id.Pos()), id.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no decision was checked")
	}
}

// TestAssignedOutside: what the check above finds, one function a case.
func TestAssignedOutside(t *testing.T) {
	for _, c := range []struct{ body, finds string }{
		{`n := 1; n++; _ = n`, ""},
		{`tx.Count++; out = 1; return`, ""},
		{`v, err := f(); _, _ = v, err`, ""},
		{`captured := captured; captured = 1`, ""},
		{`captured = 1`, "captured"},
		{`captured++`, "captured"},
		{`captured += 2`, "captured"},
		{`captured.field = 1`, "captured"},
		{`captured[0].field = 1`, "captured"},
		{`*captured = 1`, "captured"},
		{`var err error; captured, err = f(); _ = err`, "captured"},
		{`for captured = range f() {}`, "captured"},
		{`func() { captured = 1 }()`, "captured"},
		{`global = 1`, "global"},
	} {
		src := "package p\nfunc outer() { var captured T; _ = func(tx *Tx) (out int) { " + c.body + "\n} }"
		f, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok && takesTx(lit.Type) {
				for _, id := range assignedOutside(lit) {
					found = append(found, id.Name)
				}
			}
			return true
		})
		if got := strings.Join(found, " "); got != c.finds {
			t.Errorf("%s: found %q, want %q", c.body, got, c.finds)
		}
	}
}

func takesTx(f *ast.FuncType) bool {
	if len(f.Params.List) == 0 {
		return false
	}
	pointer, ok := f.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch x := pointer.X.(type) {
	case *ast.Ident:
		return x.Name == "Tx"
	case *ast.SelectorExpr:
		return x.Sel.Name == "Tx"
	}
	return false
}

// assignedOutside are the variables that a function assigns to, whole or in
// part, and does not declare.
func assignedOutside(lit *ast.FuncLit) []*ast.Ident {
	var out []*ast.Ident
	add := func(left ast.Expr) {
		id := root(left)
		if id == nil || id.Name == "_" {
			return
		}
		// Obj is nil for what another file declares, or another package.
		if id.Obj == nil || id.Obj.Pos() < lit.Pos() || id.Obj.Pos() > lit.End() {
			out = append(out, id)
		}
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				for _, left := range s.Lhs {
					add(left)
				}
			}
		case *ast.IncDecStmt:
			add(s.X)
		case *ast.RangeStmt:
			if s.Tok == token.ASSIGN {
				add(s.Key)
				add(s.Value)
			}
		}
		return true
	})
	return out
}

// root is the variable at the left of x.f[i].g; nil if there is none.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
