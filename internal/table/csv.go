package table

import "strings"

// Row writes cells as one raw row of CSV in UTF-8, without a line end.
func Row(cells []string, comma byte) []byte {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(comma)
		}
		if strings.IndexByte(cell, comma) < 0 && !strings.ContainsAny(cell, "\"\r\n") {
			b.WriteString(cell)
			continue
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		b.WriteByte('"')
	}
	return []byte(b.String())
}

// Inert keeps a cell from being taken for a formula by a spreadsheet: an apostrophe goes before it. Bare takes it away.
func Inert(cell string) string {
	if cell != "" && (formula(cell) || cell[0] == '\'' && formula(cell[1:])) {
		return "'" + cell
	}
	return cell
}

// Bare is the cell that Inert made harmless.
func Bare(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && (formula(cell[1:]) || cell[1] == '\'' && formula(cell[2:])) {
		return cell[1:]
	}
	return cell
}

func formula(cell string) bool { return cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 }
