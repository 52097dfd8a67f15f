package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// partysWay are the files whose refusals a party or the public can get.
var partysWay = []string{
	"enforcement/party*.go", "enforcement/delivery.go", "reporting/file.go", "reporting/track.go", "reporting/followup.go",
	"ledger/code.go", "ledger/number_rules.go", "ledger/appeal.go", "disclosure/register.go", "disclosure/digest_read.go",
}

// formatAt is which argument of a function that refuses is the format of its message.
var formatAt = map[string]int{
	"New": 2, "Field": 1, "NotFound": 1, "asUnknown": 1, "refuse": 0, "refused": 0, "wrongState": 0, "samePerson": 0,
}

// What a party or the public is refused with is said in Chinese of its own: by a row of words.tsv, or in the message.
func TestWhatPartiesAreRefusedWith(t *testing.T) {
	found := 0
	for _, pattern := range partysWay {
		files, err := filepath.Glob(filepath.Join("..", "..", "services", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, format := range formats(t, file) {
				found++
				if table()[format] == "" && !said.MatchString(format) {
					t.Errorf("%s refuses with %q: add a row to words.tsv", file, format)
				}
			}
		}
	}
	if found < len(partysWay) {
		t.Errorf("only %d refusals found", found)
	}
}

// formats are the messages of the refusals in a file; one that is made elsewhere is "%s", and left out.
func formats(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := ""
		switch fn := call.Fun.(type) {
		case *ast.Ident:
			name = fn.Name
		case *ast.SelectorExpr:
			if pkg, ok := fn.X.(*ast.Ident); ok && pkg.Name == "errs" {
				name = fn.Sel.Name
			}
		}
		at, refuses := formatAt[name]
		if !refuses || len(call.Args) <= at {
			return true
		}
		if format := literal(call.Args[at]); format != "" && format != "%s" {
			out = append(out, format)
		}
		return true
	})
	return out
}

// literal is a text that stands in the source, maybe in several lines.
func literal(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(x.Value)
		return text
	case *ast.BinaryExpr:
		return literal(x.X) + literal(x.Y)
	}
	return ""
}
