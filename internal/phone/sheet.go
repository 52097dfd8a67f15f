package phone

import "strings"

// fromSheet reads what spreadsheets make of a number: 13814590000.0, 1.381459E+10, 13,814,590,000. Digits that a
// spreadsheet has rounded off are lost.
func fromSheet(text string) (digits string, lost, ok bool) {
	text = strings.TrimLeft(text, `'="`)
	text = strings.TrimRight(text, `"`)
	if mantissa, exponent, found := cutAny(text, "eE"); found {
		return scientific(mantissa, exponent)
	}
	if whole, rest, found := strings.Cut(text, "."); found {
		if strings.Trim(rest, "0") != "" || rest == "" {
			return "", false, false
		}
		text = whole
	} else if !strings.Contains(text, ",") {
		return "", false, false
	}
	parts := strings.Split(text, ",")
	for i, part := range parts {
		if !onlyDigits(part) || len(parts) > 1 && (i > 0 && len(part) != 3 || i == 0 && len(part) > 3) {
			return "", false, false
		}
	}
	digits = strings.Join(parts, "")
	return digits, false, len(digits) >= 3
}

func cutAny(s, chars string) (before, after string, found bool) {
	i := strings.IndexAny(s, chars)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// generalDecimals is how many decimals a spreadsheet's standard format leaves; a mantissa with more was not rounded.
const generalDecimals = 5

// scientific writes 1.381459E+10 out again.
func scientific(mantissa, exponent string) (digits string, lost, ok bool) {
	exponent = strings.TrimPrefix(exponent, "+")
	whole, decimals, _ := strings.Cut(mantissa, ".")
	if len(whole) != 1 || !onlyDigits(whole) || decimals != "" && !onlyDigits(decimals) || !onlyDigits(exponent) || len(exponent) > 2 {
		return "", false, false
	}
	n := number(exponent)
	if n > maxDigits || n < 2 {
		return "", false, false
	}
	if len(decimals) > n {
		if strings.Trim(decimals[n:], "0") != "" {
			return "", false, false
		}
		decimals = decimals[:n]
	}
	missing := n - len(decimals)
	if missing > 0 && len(decimals) <= generalDecimals {
		return "", true, true
	}
	return whole + decimals + strings.Repeat("0", missing), false, true
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
