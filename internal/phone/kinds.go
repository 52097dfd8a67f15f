package phone

import commonv1 "quietline/proto/quietline/common/v1"

// mobile reads eleven digits of a segment in use (公众移动通信号码).
func mobile(n *commonv1.Number, d string) bool {
	s, ok := segmentOf(d)
	if !ok {
		return false
	}
	set(n, Mobile, d)
	n.AllocatedCarrier, n.Resale = s.carrier, s.resale
	where, basis := plan.places.ofMobile(d)
	n.Province, n.City, n.PlaceBasis = where.province, where.city, basis
	return true
}

// landline reads an area code and a subscriber's number of the length that the area has (固定电话号码).
func landline(n *commonv1.Number, d string) bool {
	a, length, ok := areaOf(d)
	if !ok || !a.takes(d[length:]) {
		return false
	}
	set(n, Landline, d)
	placed(n, a)
	return true
}

func placed(n *commonv1.Number, a area) {
	where := plan.places.at(a.place)
	n.Province, n.City, n.PlaceBasis = where.province, where.city, BasisArea
}

// plainCode reads a code as dialled.
func plainCode(n *commonv1.Number, d string) bool {
	c := codeOf(d)
	if c == nil {
		return false
	}
	set(n, c.kind, d)
	n.AllocatedCarrier, n.Organization = c.carrierOf(d), organizationOf(d)
	return true
}

// areaCode reads a code behind an area code: 0871 96533, 010 12345, 0755 114. Codes of the 95 classes are national and are
// dialled without: shown so they are irregular, and their normal form keeps the area code so that it is not the holder's.
func areaCode(n *commonv1.Number, d string, a area, length int) bool {
	c := codeOf(d[length:])
	if c == nil {
		return false
	}
	switch c.kind {
	case Code96:
		set(n, AreaCode96, d)
		n.Organization = organizationOf(d)
	case Public, Carrier:
		set(n, c.kind, d)
		n.AllocatedCarrier, n.Organization = c.carrier, organizationOf(d[length:])
	case Code95Enterprise, Code95CallCentre, Code95Public:
		set(n, c.kind, d).Reason = "95 号码全国统一，不应带区号显示，属不规范主叫"
	default:
		return false
	}
	placed(n, a)
	return true
}

// forge recognises a code with something before it that no network shows there (伪造主叫). The form that gives it away
// stays in its normal form, so that it is never taken for the code of the true holder.
func forge(n *commonv1.Number, normal, d, what string) bool {
	c := codeOf(d)
	return c != nil && spoof(n, normal, c, what) == ""
}

// spoof sets kind and reason of a forged code.
func spoof(n *commonv1.Number, normal string, c *code, what string) (why string) {
	var kind, name string
	switch c.kind {
	case Code95Enterprise, Code95CallCentre, Code95Public:
		kind, name = Code95Spoofed, "95 号码"
	case Public:
		kind, name = PublicSpoofed, "公共服务号码"
	case Code96:
		kind, name = PublicSpoofed, "96 号码"
	case Carrier:
		kind, name = CarrierSpoofed, "电信企业服务号码"
	default:
		return "不是短号码"
	}
	set(n, kind, normal).Reason = name + what + "，判为伪造主叫"
	return ""
}

func is95(kind string) bool {
	return kind == Code95Enterprise || kind == Code95CallCentre || kind == Code95Public
}
