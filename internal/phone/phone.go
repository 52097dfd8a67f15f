package phone

import (
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

// Parse reads a number as displayed to a subscriber in mainland China. It never fails: what cannot be used has the kind
// invalid, text or empty and a reason.
func Parse(raw string) *commonv1.Number {
	w := clean(raw)
	n := &commonv1.Number{Displayed: valid(raw)}
	if refused(n, w) {
		return n
	}
	parseCN(n, w)
	return n
}

// ParseIn reads a number as displayed in a country (ISO 3166 code); "" and CN are mainland China.
func ParseIn(raw, country string) *commonv1.Number {
	if country == "" || country == "CN" {
		return Parse(raw)
	}
	w := clean(raw)
	n := &commonv1.Number{Displayed: valid(raw)}
	if refused(n, w) {
		return n
	}
	text := w.digits
	if w.plus {
		text = "+" + text
	}
	p, err := phonenumbers.Parse(text, country)
	if err != nil {
		return invalid(n, w, "不是该国家或地区的号码")
	}
	if p.GetCountryCode() == 86 {
		parseCN(n, written{plus: true, digits: "86" + phonenumbers.GetNationalSignificantNumber(p)})
		return n
	}
	return foreign(n, w, p)
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

// refused handles what is no number at all.
func refused(n *commonv1.Number, w written) bool {
	switch {
	case w.blank:
		n.Kind, n.Reason = Empty, "没有号码"
	case w.other || w.digits == "":
		n.Kind, n.Reason = Text, "不是号码"
	case len(w.digits) > maxDigits:
		n.Kind, n.Reason = Invalid, "号码过长"
	default:
		return false
	}
	return true
}

func parseCN(n *commonv1.Number, w written) {
	d := w.digits
	switch {
	case w.plus && strings.HasPrefix(d, "86"):
		parseIntl(n, w, d[2:])
	case w.plus && strings.HasPrefix(d, "00"):
		invalid(n, w, "加号后不应再有国际冠码 00")
	case w.plus:
		parseForeign(n, w, d)
	case strings.HasPrefix(d, "0086"):
		parseIntl(n, w, d[4:])
	case strings.HasPrefix(d, "00"):
		if kind, what := spoofed(code(d[2:])); kind != "" {
			set(n, kind, d).Reason = what + "前不应有国际冠码 00，判为伪造主叫"
			return
		}
		parseForeign(n, w, d[2:])
	default:
		if !parseNational(n, d) {
			parseOdd(n, w)
		}
	}
}

// parseIntl reads what stands after +86 or 0086. Only subscribers' and 400/800 numbers are shown so by a real network.
func parseIntl(n *commonv1.Number, w written, national string) {
	bare := strings.TrimPrefix(national, "0")
	// Beijing without its trunk 0 begins like a code: 10 and eight digits
	if len(bare) == 10 && strings.HasPrefix(bare, "10") && bare[2] != '0' && landline(n, "0"+bare) {
		return
	}
	if kind, what := spoofed(code(bare)); kind != "" {
		set(n, kind, "+86"+bare).Reason = what + "前不应有国际区号 86，判为伪造主叫"
		return
	}
	if !parsePlain(n, bare) && !landline(n, "0"+bare) {
		invalid(n, w, "+86 后不是有效的国内号码")
	}
}

// parseNational reads a number without any international prefix.
func parseNational(n *commonv1.Number, d string) bool {
	if parsePlain(n, d) {
		return true
	}
	if strings.HasPrefix(d, "0") {
		return mobile(n, d[1:]) || code4008(n, d[1:]) || areaCode96(n, d) || landline(n, d)
	}
	return false
}

// parsePlain reads mobiles and codes.
func parsePlain(n *commonv1.Number, d string) bool {
	if mobile(n, d) || code4008(n, d) {
		return true
	}
	kind := code(d)
	if kind == "" {
		return false
	}
	set(n, kind, d).AllocatedCarrier = ownerOf(d)
	return true
}

// parseOdd tries what people and old networks put before a number, then gives up.
func parseOdd(n *commonv1.Number, w written) {
	d := w.digits
	for _, prefix := range ipPrefixes {
		rest, ok := strings.CutPrefix(d, prefix)
		if ok && len(rest) >= 10 && parseNational(n, rest) {
			return
		}
	}
	if rest, ok := strings.CutPrefix(d, "86"); ok && len(rest) >= 9 {
		if mobile(n, rest) || code4008(n, rest) || landline(n, "0"+strings.TrimPrefix(rest, "0")) {
			return
		}
	}
	if len(d) >= 9 && d[0] >= '2' && landline(n, "0"+d) {
		return
	}
	reason := "不符合编号计划"
	switch {
	case len(d) == 11 && d[0] == '1':
		reason = "号段未启用"
	case (len(d) == 7 || len(d) == 8) && d[0] >= '2' && d[0] <= '8':
		reason = "缺少区号"
	case strings.HasPrefix(d, "95"):
		reason = "95 码长度不符"
	case strings.HasPrefix(d, "0"):
		reason = "区号或用户号码长度不符"
	}
	invalid(n, w, reason)
}

func parseForeign(n *commonv1.Number, w written, d string) {
	p, err := phonenumbers.Parse("+"+d, "ZZ")
	if err != nil {
		invalid(n, w, "没有这样的国家或地区代码")
		return
	}
	foreign(n, w, p)
}

// foreign accepts what the country's plan allows, and with a reason what only has a possible length: forged foreign
// numbers are the rule, not the exception.
func foreign(n *commonv1.Number, w written, p *phonenumbers.PhoneNumber) *commonv1.Number {
	valid := phonenumbers.IsValidNumber(p)
	if !valid && phonenumbers.IsPossibleNumberWithReason(p) != phonenumbers.IS_POSSIBLE {
		return invalid(n, w, "长度不符合该国家或地区的编号计划")
	}
	normal := phonenumbers.Format(p, phonenumbers.E164)
	if !valid {
		n.Reason = "不符合该国家或地区的编号计划"
		// one leading zero is taken off at a time: go on until nothing changes
		if again, err := phonenumbers.Parse(normal, "ZZ"); err == nil && phonenumbers.Format(again, phonenumbers.E164) != normal {
			return foreign(n, w, again)
		}
	}
	return set(n, Foreign, normal)
}

func set(n *commonv1.Number, kind, normal string) *commonv1.Number {
	n.Kind, n.Normal = kind, normal
	return n
}

func invalid(n *commonv1.Number, w written, reason string) *commonv1.Number {
	n.Kind, n.Reason, n.Normal = Invalid, reason, w.digits
	if w.plus {
		n.Normal = "+" + w.digits
	}
	return n
}

// Mask hides the part of a normal form that singles out a subscriber. Codes belong to organisations and stay as they are.
func Mask(normal string) string {
	switch {
	case len(normal) <= 8, strings.HasPrefix(normal, "400"), strings.HasPrefix(normal, "800"), strings.HasPrefix(normal, "106"):
		return normal
	case len(normal) <= maxDigits+1 && code(strings.TrimPrefix(normal, "+86")) != "":
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
