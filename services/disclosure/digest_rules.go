package disclosure

import (
	"strconv"
	"strings"
)

// rounding is the rule by which shares are made (舍入规则).
const rounding = "largest_remainder"

// othersKey is the key of a row that several small figures stand in.
const othersKey = "others"

// titleOf fills in the title of a month, YYYY-MM.
func titleOf(pattern, month string) string {
	year, mon, _ := strings.Cut(month, "-")
	if n, err := strconv.Atoi(mon); err == nil {
		mon = strconv.Itoa(n) // 3月, not 03月
	}
	return strings.NewReplacer("{year}", year, "{month}", mon).Replace(pattern)
}
