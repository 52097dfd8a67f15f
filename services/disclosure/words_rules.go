package disclosure

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"quietline/internal/errs"
	"quietline/internal/phone"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

var (
	creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)
	personalID = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
)

// published are the kinds of numbers that public pages may name: codes of firms and services, never subscribers'.
var published = []string{phone.Code95Enterprise, phone.Code95CallCentre, phone.Code95Public, phone.Code96, phone.AreaCode96, phone.Code400, phone.Code1010}

// publicCode is the normal form of a code that may stand on public pages.
func publicCode(text string) (normal string, ok bool) {
	n := phone.Parse(text)
	return n.GetNormal(), slices.Contains(published, n.GetKind())
}

// isPersonalID says whether a text is a citizen identification number (公民身份号码, GB 11643-1999).
func isPersonalID(text string) bool {
	if text = strings.ToUpper(text); !personalID.MatchString(text) {
		return false
	}
	if _, err := time.Parse("20060102", text[6:14]); err != nil {
		return false
	}
	sum := 0
	for i, weight := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(text[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == text[17]
}

// surname is how a natural person is shown where a rule lets one be shown.
func surname(name string) string {
	for _, r := range name {
		return string(r) + "某"
	}
	return ""
}

// checkWords refuses words that cannot be a publication.
func checkWords(kind store.PublicationKind, p *disclosurev1.Publication) error {
	leastName := 0
	if kind.OfParty {
		leastName = 1
	}
	for _, f := range []struct {
		path, text string
		least, max int
	}{
		{"publication.title", p.GetTitle(), 1, 200},
		{"publication.party_name", p.GetPartyName(), leastName, 200},
		{"publication.agency_id", p.GetAgencyId(), 1, 60},
		{"publication.summary", p.GetSummary(), 0, 4000},
	} {
		if n := len([]rune(f.text)); n < f.least || n > f.max {
			return errs.Field(f.path, "must have %d to %d characters", f.least, f.max)
		}
	}
	if p.GetCreditCode() != "" && !creditCode.MatchString(p.GetCreditCode()) {
		return errs.Field("publication.credit_code", "must be 18 digits and capital letters")
	}
	for _, c := range p.GetCodes() {
		if normal, ok := publicCode(c); !ok || normal != c {
			return errs.Field("publication.codes", "must be codes of the 95, 96, 400 or 1010 ranges in normal form; subscribers' numbers are not published")
		}
	}
	return nil
}
