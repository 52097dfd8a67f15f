package format

import (
	"regexp"
	"time"
)

// creditCode is the shape of a unified social credit code (统一社会信用代码, GB 32100-2015): the registry and the kind of body, six
// digits of its area, nine characters of the body and one that checks. No I, O, S, V, Z.
var creditCode = regexp.MustCompile(`^[1-9A-HJ-NPQRTUWXY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$`)

// IsCreditCode says whether a text can be the code of a firm or other body. Who has no code of its own is not entered under
// the number of an identity card.
func IsCreditCode(text string) bool { return creditCode.MatchString(text) && !IsPersonalID(text) }

var (
	personalID = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
	weights    = [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
)

// IsPersonalID says whether a text has the shape of a citizen identification number (公民身份号码, GB 11643-1999): a date of birth
// in digits 7 to 14 and the check of ISO 7064 mod 11-2.
func IsPersonalID(text string) bool {
	if !personalID.MatchString(text) {
		return false
	}
	born, err := time.Parse("20060102", text[6:14])
	if err != nil || born.Year() < 1800 || born.Year() > 2199 {
		return false
	}
	sum := 0
	for i, weight := range weights {
		sum += int(text[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == text[17]
}
