package phone

import "strings"

// Mask hides the part of a normal form that singles out a subscriber. Codes belong to organisations and stay as they are;
// of what is no number nothing is shown.
func Mask(normal string) string {
	d := strings.TrimPrefix(normal, "+")
	switch {
	case normal == "":
		return ""
	case !onlyDigits(d):
		return "****"
	case len(normal) <= 8, strings.HasPrefix(normal, "400"), strings.HasPrefix(normal, "800"), strings.HasPrefix(normal, "106"):
		return normal
	case len(normal) <= maxDigits+1 && codeOf(strings.TrimPrefix(d, "86")) != nil:
		return normal
	case len(normal) == 11 && normal[0] == '1':
		return normal[:3] + "****" + normal[7:]
	case normal[0] == '0':
		area := areaLength(normal)
		return normal[:area] + "****" + normal[max(area, len(normal)-2):]
	default:
		return normal[:3] + "****" + normal[len(normal)-2:]
	}
}

// Resale says whether a mobile's segment is allocated to resale operators (移动转售) on their host's network.
func Resale(normal string) bool {
	s, _ := segmentOf(normal)
	return s.resale
}

// ProvinceCode is the GB/T 2260 code of the province that a Chinese place name begins with; empty when it is none.
func ProvinceCode(name string) string { return plan.places.named(name).province }

// ProvinceName is the short Chinese name of a province by its code; empty when there is none.
func ProvinceName(code string) string { return plan.names[code] }
