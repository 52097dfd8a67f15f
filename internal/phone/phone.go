package phone

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	commonv1 "quietline/proto/quietline/common/v1"
)

// Kinds of numbers (号码类型).
const (
	Mobile           = "mobile"
	Landline         = "landline"
	Code400          = "code400"
	Code800          = "code800"
	Code1010         = "code1010"
	Code95Enterprise = "code95_enterprise"
	Code95CallCentre = "code95_callcentre"
	Code95Public     = "code95_public"
	Code96           = "code96"
	AreaCode96       = "area+96"
	Carrier          = "carrier1xx"
	Public           = "public12x"
	SMS              = "sms106"
	Foreign          = "foreign"
	Code95Spoofed    = "code95_spoofed"
	PublicSpoofed    = "public_spoofed"
	CarrierSpoofed   = "carrier_spoofed"
	Text             = "text"
	Empty            = "empty"
	Invalid          = "invalid"
)

// maxDigits is the longest number that is shown anywhere (an SMS port of 106 with its extension).
const maxDigits = 20

// Parse reads a number as displayed to a subscriber in mainland China, in whatever form people and spreadsheets write it.
// It never fails: what cannot be used has the kind invalid, text or empty and a reason.
func Parse(raw string) *commonv1.Number {
	if plain(raw) {
		n := &commonv1.Number{Displayed: raw}
		if why := read(n, run{digits: raw}, true); why != "" {
			invalid(n, raw, why)
		}
		return n
	}
	n := &commonv1.Number{Displayed: valid(raw)}
	w := scan(raw)
	if refused(n, w) {
		return n
	}
	if digits, lost, ok := fromSheet(w.text); lost {
		return invalid(n, w.text, "表格按科学计数法显示，末几位数字已丢失")
	} else if ok {
		if why := read(n, run{digits: digits}, true); why != "" {
			invalid(n, digits, why)
		}
		return n
	}
	if w.words || len(w.runs) > 1 {
		return search(n, w)
	}
	r := w.runs[0]
	if us := new(commonv1.Number); r.american() && abroad(us, r.digits) == "" && us.GetReason() == "" {
		us.Displayed = n.GetDisplayed()
		return us
	}
	if why := grouped(n, r, true); why != "" {
		invalid(n, r.String(), why)
	}
	return n
}

// american says whether digits are grouped as only numbers of North America are, 1-415-667-7870: eleven of them, but no
// mobile is written so.
func (r run) american() bool {
	return !r.plus && len(r.digits) == 11 && r.digits[0] == '1' && slices.Equal(r.groups, []int{1, 4, 7, 11})
}

// plain is what needs no taking apart.
func plain(raw string) bool { return len(raw) >= 3 && len(raw) <= maxDigits && onlyDigits(raw) }

func (r run) String() string {
	if r.plus {
		return "+" + r.digits
	}
	return r.digits
}

// ParseIn reads a number as displayed in a country (ISO 3166 code); "" and CN are mainland China.
func ParseIn(raw, country string) *commonv1.Number {
	if country == "" || country == "CN" {
		return Parse(raw)
	}
	n := &commonv1.Number{Displayed: valid(raw)}
	w := scan(raw)
	if refused(n, w) {
		return n
	}
	if w.words || len(w.runs) > 1 {
		return text(n, w)
	}
	r := w.runs[0]
	if len(r.digits) > maxDigits {
		return invalid(n, r.String(), tooLong)
	}
	p, err := phonenumbers.Parse(r.String(), country)
	if err != nil {
		return invalid(n, r.String(), "不是该国家或地区的号码")
	}
	if p.GetCountryCode() == 86 {
		r = run{plus: true, digits: "86" + phonenumbers.GetNationalSignificantNumber(p)}
		if why := read(n, r, true); why != "" {
			invalid(n, r.String(), why)
		}
		return n
	}
	if why := foreign(n, p); why != "" {
		invalid(n, r.String(), why)
	}
	return n
}

// Usable says whether a complaint can be kept under the number: there is one, and it is not nonsense. Forged numbers are
// usable.
func Usable(n *commonv1.Number) bool {
	switch n.GetKind() {
	case Invalid, Text, Empty, "":
		return false
	}
	return n.GetNormal() != ""
}

// Forged says whether a number is forged by its very form (伪造主叫).
func Forged(kind string) bool {
	return kind == Code95Spoofed || kind == PublicSpoofed || kind == CarrierSpoofed
}

const tooLong = "号码过长"

// refused handles what has no digits.
func refused(n *commonv1.Number, w written) bool {
	switch {
	case w.text == "":
		n.Kind, n.Reason = Empty, "没有号码"
	case len(w.runs) == 0:
		text(n, w)
	default:
		return false
	}
	return true
}

// text is what is no number; it stands for itself.
func text(n *commonv1.Number, w written) *commonv1.Number {
	n.Kind, n.Normal, n.Reason = Text, w.text, "不是号码"
	return n
}

func invalid(n *commonv1.Number, normal, why string) *commonv1.Number {
	n.Kind, n.Normal, n.Reason = Invalid, normal, why
	return n
}

// read reads the digits of one number; the answer says why they are none. Loosely written ones, a landline without its
// trunk 0, are only taken where nothing else stands.
func read(n *commonv1.Number, r run, loose bool) (why string) {
	d := r.digits
	switch {
	case len(d) > maxDigits:
		return tooLong
	case r.plus && strings.HasPrefix(d, "86"):
		return international(n, r.from(2), "+86")
	case r.plus && strings.HasPrefix(d, "00"):
		return "加号后不应再有国际冠码 00"
	case r.plus && plusCode(d):
		return mistakenPlus
	case r.plus:
		return abroad(n, d)
	case strings.HasPrefix(d, "0086"):
		return international(n, r.from(4), "0086")
	case strings.HasPrefix(d, "00"):
		if forge(n, d, d[2:], "前不应有国际冠码 00") {
			return ""
		}
		return abroad(n, d[2:])
	case beijing(n, r) || national(n, d) || odd(n, r, loose):
		return ""
	}
	return reasonFor(d)
}

// international reads what stands after +86 or 0086. Only numbers of subscribers and intelligent-network numbers are shown
// so by a real network.
func international(n *commonv1.Number, r run, prefix string) (why string) {
	d := r.digits
	if rest, ok := cutPrefix(d); ok && international(n, r.from(len(d)-len(rest)), prefix) == "" {
		return ""
	}
	if beijing(n, r) {
		return ""
	}
	bare := strings.TrimPrefix(d, "0")
	// Beijing without its trunk 0 begins like a code: 10 and eight digits
	if len(bare) == 10 && strings.HasPrefix(bare, "10") && landline(n, "0"+bare) {
		return ""
	}
	what := "前不应有国际区号 " + prefix
	if forge(n, "+86"+bare, bare, what) {
		return ""
	}
	if a, length, ok := areaOf("0" + bare); ok {
		if c := codeOf(bare[length-1:]); c != nil && is95(c.kind) {
			return spoof(n, "+86"+bare, c, what)
		}
		if areaCode(n, "0"+bare, a, length) {
			return ""
		}
	}
	trunk := len(bare) < len(d) // 0 stands before an area code, never before a code
	if mobile(n, bare) || !trunk && plainCode(n, bare) || (trunk || r.splitsAtArea()) && landline(n, "0"+bare) {
		return ""
	}
	if iot(bare) {
		return reasonFor(bare)
	}
	return prefix + " 后不是有效的国内号码"
}

// national reads a number without any international prefix.
func national(n *commonv1.Number, d string) bool {
	if mobile(n, d) || plainCode(n, d) {
		return true
	}
	if len(d) < 4 || d[0] != '0' {
		return false
	}
	if mobile(n, d[1:]) {
		return true
	}
	if c := codeOf(d[1:]); c != nil && (c.kind == Code400 || c.kind == Code800) {
		return plainCode(n, d[1:])
	}
	if a, length, ok := areaOf(d); ok && areaCode(n, d, a, length) {
		return true
	}
	return landline(n, d) || forge(n, d, d[1:], "前不应有长途字冠 0")
}

// odd tries what people and old networks put before a number.
func odd(n *commonv1.Number, r run, loose bool) bool {
	d := r.digits
	if rest, ok := cutPrefix(d); ok {
		return behind(n, r.from(len(d)-len(rest)))
	}
	if rest, ok := strings.CutPrefix(d, "86"); ok {
		switch {
		case len(rest) == 9 && landline(n, "0"+rest):
			return true
		case len(rest) < 3, len(rest) == 6 && !r.endsAt(2): // may as well be a local number
			return false
		case len(rest) < 10 && !r.endsAt(2): // but no code behind an area code
			return forge(n, "+86"+rest, rest, "前不应有国际区号 86") || len(rest) == 8 && strings.HasPrefix(rest, "1010") && plainCode(n, rest)
		}
		return international(n, r.from(2), "86") == ""
	}
	if strings.HasPrefix(d, "086") && len(d) > 5 { // there is no such area
		return international(n, r.from(3), "086") == ""
	}
	return loose && len(d) >= 9 && d[0] >= '2' && r.splitsAtArea() && landline(n, "0"+d)
}

// behind reads what stands behind a prefix that chose an operator.
func behind(n *commonv1.Number, r run) bool {
	for _, prefix := range []string{"0086", "86"} {
		if strings.HasPrefix(r.digits, prefix) {
			return international(n, r.from(len(prefix)), prefix) == ""
		}
	}
	return beijing(n, r) || national(n, r.digits)
}

// iot knows the thirteen digits of things that talk to things (物联网号码): nobody is called by them, and they are no SMS ports.
func iot(d string) bool {
	return len(d) == 13 && (strings.HasPrefix(d, "14") || strings.HasPrefix(d, "1064") && d[4] >= '6')
}

// reasonFor says why national digits are no number.
func reasonFor(d string) string {
	switch {
	case iot(d):
		return "物联网专用号码，不能拨打电话"
	case len(d) == 11 && d[0] == '1':
		return "号段未启用"
	case len(d) == 10 && d[0] == '1' && d[1] >= '3', len(d) == 12 && d[0] == '1' && d[1] >= '3':
		return "移动号码应为 11 位"
	case (len(d) == 7 || len(d) == 8) && d[0] >= '2' && d[0] <= '8':
		return "缺少区号"
	case strings.HasPrefix(d, "953"), strings.HasPrefix(d, "955"):
		return "953、955 号码为 5 位，不得加长"
	case strings.HasPrefix(d, "956"):
		return "956 号码为 6 位，不得加长"
	case strings.HasPrefix(d, "95"):
		return "95 号码长度不符"
	case strings.HasPrefix(d, "400"), strings.HasPrefix(d, "800"):
		return "400、800 号码应为 10 位"
	case d[0] == '0':
		return "区号或用户号码长度不符"
	}
	return "不符合编号计划"
}

// abroad reads a country code and what follows.
func abroad(n *commonv1.Number, d string) (why string) {
	p, err := phonenumbers.Parse("+"+d, "ZZ")
	if err != nil {
		return "没有这样的国家或地区代码"
	}
	return foreign(n, p)
}

const mistakenPlus = "短号码前误加加号，按国外号码拨不通"

// plusCode says whether digits behind a plus are a code of ours and no number of another country.
func plusCode(d string) bool {
	if len(d) > 8 || codeOf(d) == nil {
		return false
	}
	p, err := phonenumbers.Parse("+"+d, "ZZ")
	return err != nil || !phonenumbers.IsValidNumber(p)
}

// foreign accepts what the country's plan allows, and with a reason what only has a possible length: forged foreign
// numbers are the rule, not the exception.
func foreign(n *commonv1.Number, p *phonenumbers.PhoneNumber) (why string) {
	valid := phonenumbers.IsValidNumber(p)
	if !valid && phonenumbers.IsPossibleNumberWithReason(p) != phonenumbers.IS_POSSIBLE {
		return "长度不符合该国家或地区的编号计划"
	}
	normal := phonenumbers.Format(p, phonenumbers.E164)
	if !valid && plusCode(normal[1:]) {
		return mistakenPlus
	}
	if !valid {
		n.Reason = "不符合该国家或地区的编号计划"
		// one leading zero is taken off at a time: go on until nothing changes
		if again, err := phonenumbers.Parse(normal, "ZZ"); err == nil && phonenumbers.Format(again, phonenumbers.E164) != normal {
			return foreign(n, again)
		}
	}
	set(n, Foreign, normal)
	return ""
}

func set(n *commonv1.Number, kind, normal string) *commonv1.Number {
	n.Kind, n.Normal = kind, normal
	return n
}
