package format_test

import (
	"testing"

	"quietline/services/ledger/format"
)

func TestCreditCodes(t *testing.T) {
	for text, c := range map[string]struct{ firm, person bool }{
		"91000000DEMNDEMN01": {true, false},
		"91350100M000100Y43": {true, false}, // the example of GB 32100-2015
		"12100000400000000A": {true, false},
		"11010519491231002X": {false, true}, // the examples of GB 11643-1999
		"440524188001010014": {false, true},
		"110105194912310021": {true, false}, // another check digit: a date is no proof of a person
		"11010519491331002X": {true, false}, // no such month
		"01000000DEMNDEMN01": {false, false},
		"9100000ODEMNDEMN01": {false, false}, // the letter O
		"91000000DEMNDEMNI1": {false, false},
		"91A00000DEMNDEMN01": {false, false}, // an area has digits only
		"91000000DEMNDEMN0":  {false, false},
		"":                   {false, false},
	} {
		if got := format.IsCreditCode(text); got != c.firm {
			t.Errorf("%q the code of a firm: %v", text, got)
		}
		if got := format.IsPersonalID(text); got != c.person {
			t.Errorf("%q the number of a person: %v", text, got)
		}
	}
}
