package persons

import (
	"regexp"
	"strings"
	"time"
)

var (
	personalID = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
	oldID      = regexp.MustCompile(`^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])[0-9]{13}$`) // by province, GB/T 2260
)

// IsID says whether a text is a citizen identification number (公民身份号码, GB 11643-1999).
func IsID(text string) bool {
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

// isOldID says whether digits are an identification number of fifteen digits, as it was until 1999 (GB 11643-1989): province,
// county, day of birth in the twentieth century, number.
func isOldID(digits string) bool {
	if !oldID.MatchString(digits) || digits[4:6] == "00" {
		return false
	}
	_, err := time.Parse("20060102", "19"+digits[6:12])
	return err == nil
}
