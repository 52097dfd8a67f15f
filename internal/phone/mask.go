package phone

import (
	"strings"

	commonv1 "quietline/proto/quietline/common/v1"
)

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

// carriers are the operators as segment tables name them.
var carriers = map[string]string{"cmcc": "移动", "cucc": "联通", "ctcc": "电信", "cbn": "广电"}

// SegmentOwner names the operator that a mobile's segment was allocated to, 虚拟 behind it where it is resold (移动转售);
// empty for other kinds.
func SegmentOwner(n *commonv1.Number) string {
	name := carriers[n.GetAllocatedCarrier()]
	switch {
	case n.GetKind() != Mobile:
		return ""
	case n.GetResale():
		return name + "虚拟"
	}
	return name
}

// Local96 takes the area code off a 96 code that was shown with it, which every province gives out anew.
func Local96(normal string) (code, area string, ok bool) {
	_, length, ok := areaOf(normal)
	if !ok {
		return "", "", false
	}
	if c := codeOf(normal[length:]); c == nil || c.kind != Code96 {
		return "", "", false
	}
	return normal[length:], normal[:length], true
}

// AreaCode is the area code (长途区号) that the normal form of a landline or of a code shown with one begins with; empty
// where there is none.
func AreaCode(normal string) string {
	if len(normal) < 4 || normal[0] != '0' || !onlyDigits(normal) {
		return ""
	}
	_, length, ok := areaOf(normal)
	if !ok {
		return ""
	}
	return normal[:length]
}

// AreaProvince is the GB/T 2260 code of the province in which an area code with its trunk 0 is; empty when there is none.
func AreaProvince(area string) string {
	a, ok := plan.areas[area]
	if !ok {
		return ""
	}
	return plan.places.at(a.place).province
}
