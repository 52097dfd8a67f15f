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
	if formula(cell) {
		return "'" + cell
	}
	return cell
}

// Bare is the cell that Inert made harmless.
func Bare(cell string) string {
	if strings.HasPrefix(cell, "'") && formula(cell) {
		return cell[1:]
	}
	return cell
}

// formula says whether a cell begins like one, also behind apostrophes, so that Bare undoes Inert and nothing else.
func formula(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	return cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0
}
