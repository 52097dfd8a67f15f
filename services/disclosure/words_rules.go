package disclosure

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"quietline/internal/errs"
	"quietline/internal/phone"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

var creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)

// published are the kinds of numbers that public pages may name: codes of firms and services, never subscribers'.
var published = []string{phone.Code95Enterprise, phone.Code95CallCentre, phone.Code95Public, phone.Code96, phone.AreaCode96, phone.Code400, phone.Code1010}

// publicCode is the normal form of a code that may stand on public pages.
func publicCode(text string) (normal string, ok bool) {
	n := phone.Parse(text)
	return n.GetNormal(), slices.Contains(published, n.GetKind())
}

// surname is how a natural person is shown where a rule lets one be shown.
func surname(name string) string {
	for _, r := range name {
		return string(r) + "某"
	}
	return ""
}

// bySurname shows a natural person by surname only, in whatever words the name stands.
func bySurname(p *disclosurev1.Publication) {
	name, shown := p.GetPartyName(), surname(p.GetPartyName())
	p.PartyName, p.CreditCode = shown, ""
	if utf8.RuneCountInString(name) < 2 { // a single character is a name's part, and many words' as well
		return
	}
	for _, words := range []*string{&p.Title, &p.Summary, &p.Ground} {
		*words = strings.ReplaceAll(*words, name, shown)
	}
}

// ofNobody is why an item went, without whom it was of: a tombstone says nothing of the party, whoever wrote the reason.
func ofNobody(reason string, p store.Publication) string {
	if p.PartyName != "" {
		reason = strings.ReplaceAll(reason, p.PartyName, "当事人")
	}
	for _, sign := range append([]string{p.CreditCode, p.LicenceNo}, p.Codes...) {
		if sign != "" {
			reason = strings.ReplaceAll(reason, sign, "***")
		}
	}
	return reason
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
