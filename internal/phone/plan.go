package phone

import (
	_ "embed"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
)

var (
	//go:embed segments.csv
	segmentsCSV string
	//go:embed provinces.csv
	provincesCSV string

	segments  = loadSegments(segmentsCSV)
	provinces = loadProvinces(provincesCSV)
)

// ipPrefixes were dialled before a number to choose a long-distance operator; old exchanges still show them.
var ipPrefixes = []string{"17951", "12593", "17909", "17911", "17901", "17900", "17910", "17931", "17950", "17960", "17961",
	"17968", "17969", "17990", "17991", "17996", "10193", "12520", "196"}

type segment struct {
	carrier string
	resale  bool
}

// loadSegments reads prefix,carrier,resale; prefixes have three or four digits, the longer one wins.
func loadSegments(csv string) map[string]segment {
	m := make(map[string]segment)
	for _, f := range rows(csv) {
		m[f[0]] = segment{carrier: f[1], resale: f[2] == "resale"}
	}
	return m
}

// loadProvinces reads code,short name.
func loadProvinces(csv string) map[string]string {
	m := make(map[string]string)
	for _, f := range rows(csv) {
		m[f[1]] = f[0]
	}
	return m
}

// rows of our own data files: no quotes, a header, # before remarks.
func rows(csv string) (out [][]string) {
	for i, line := range strings.Split(strings.TrimSpace(csv), "\n") {
		if i > 0 && line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, ","))
		}
	}
	return out
}

func segmentOf(d string) (segment, bool) {
	if s, ok := segments[d[:4]]; ok {
		return s, true
	}
	s, ok := segments[d[:3]]
	return s, ok
}

// Resale says whether a mobile's segment is allocated to resale operators (移动转售) on their host's network.
func Resale(normal string) bool {
	if len(normal) != 11 || normal[0] != '1' {
		return false
	}
	s, _ := segmentOf(normal)
	return s.resale
}

func mobile(n *commonv1.Number, d string) bool {
	if len(d) != 11 || d[0] != '1' || d[1] < '3' {
		return false
	}
	s, ok := segmentOf(d)
	if !ok {
		return false
	}
	set(n, Mobile, d).AllocatedCarrier = s.carrier
	n.Province = provinceOf(d)
	return true
}

func code4008(n *commonv1.Number, d string) bool {
	if len(d) != 10 || (d[:3] != "400" && d[:3] != "800") {
		return false
	}
	kind := Code400
	if d[0] == '8' {
		kind = Code800
	}
	set(n, kind, d).AllocatedCarrier = ownerOf(d)
	return true
}

// areaCode96 reads a 96 code with its area code: 0871 96533.
func areaCode96(n *commonv1.Number, d string) bool {
	area := areaLength(d)
	rest := d[min(area, len(d)):]
	if (len(rest) != 5 && len(rest) != 6) || rest[:2] != "96" {
		return false
	}
	province := provinceOf(d[1:])
	if province == "" {
		return false
	}
	set(n, Code96, d).Province = province
	return true
}

func landline(n *commonv1.Number, d string) bool {
	area := areaLength(d)
	if sub := len(d) - area; sub < 7 || sub > 8 || d[1] == '0' || d[area] == '0' || d[area] == '1' {
		return false
	}
	p, err := phonenumbers.Parse("+86"+d[1:], "CN")
	if err != nil || !phonenumbers.IsValidNumber(p) {
		return false
	}
	set(n, Landline, d).Province = provinceOf(d[1:])
	return true
}

// areaLength is the length of an area code with its trunk 0: 010, 02x, 0xxx.
func areaLength(d string) int {
	if len(d) > 1 && (d[1] == '1' || d[1] == '2') {
		return 3
	}
	return 4
}

// ownerOf is the operator that a code is allocated to, where the code tells it.
func ownerOf(d string) string {
	if len(d) < 4 {
		return ""
	}
	return segments[d[:4]].carrier
}

// provinceOf asks the place data for the province of a national number without trunk 0; empty when it does not know.
func provinceOf(d string) string {
	var national uint64
	for i := range len(d) {
		national = national*10 + uint64(d[i]-'0')
	}
	p := &phonenumbers.PhoneNumber{CountryCode: proto.Int32(86), NationalNumber: new(national)}
	place, err := phonenumbers.GetGeocodingForNumber(p, "zh")
	if err != nil {
		return ""
	}
	return ProvinceCode(place)
}

// ProvinceCode is the GB/T 2260 code of the province that a Chinese place name begins with; empty when it is none.
func ProvinceCode(place string) string {
	for _, n := range []int{6, 9} { // two or three characters of three bytes
		if len(place) >= n {
			if code, ok := provinces[place[:n]]; ok {
				return code
			}
		}
	}
	return ""
}

// code is the kind of a code without subscribers: 95, 96, 1010, 12x, 100xx, 106. Empty when it is none.
func code(d string) string {
	if len(d) < 3 {
		return ""
	}
	switch d[0] {
	case '9':
		return code9(d)
	case '1':
		return code1(d)
	}
	return ""
}

func code9(d string) string {
	n := len(d)
	if n < 5 {
		return ""
	}
	switch d[:3] {
	case "953", "955", "956":
		if n <= 6 {
			return Code95Enterprise
		}
	case "950", "952", "954", "957":
		if n <= 8 {
			return Code95CallCentre
		}
	case "951":
		switch {
		case d == "95110":
			return Code95Public
		case n <= 8:
			return Code95CallCentre
		}
	default:
		if d[:2] == "96" && n <= 6 {
			return Code96
		}
	}
	return ""
}

func code1(d string) string {
	n := len(d)
	if n == 3 {
		switch d {
		case "110", "119", "120", "122":
			return Public
		case "112", "114", "117":
			return Carrier
		}
		return ""
	}
	if n < 5 {
		return ""
	}
	switch {
	case d[:4] == "1010" && n == 8:
		return Code1010
	case d[:3] == "106" && n >= 8:
		return SMS
	case d[:3] == "100" && n <= 13, d[:3] == "101" && n == 5, d[:2] == "11" && n <= 6:
		return Carrier
	case d[:2] == "12" && n <= 9:
		if d[2] <= '4' {
			return Public
		}
		return Carrier // 125xx to 129xx are services of the operators
	}
	return ""
}

// spoofed is the kind of a code that a network never shows with an international prefix, with its name in words.
func spoofed(kind string) (forged, what string) {
	switch kind {
	case Code95Enterprise, Code95CallCentre, Code95Public:
		return Code95Spoofed, "95 码"
	case Public:
		return PublicSpoofed, "公共服务号码"
	case Code96:
		return PublicSpoofed, "96 码"
	case Carrier:
		return CarrierSpoofed, "运营商客服号码"
	}
	return "", ""
}
