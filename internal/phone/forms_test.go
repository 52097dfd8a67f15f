package phone_test

import (
	"strings"
	"testing"

	"quietline/internal/phone"
)

// TestGroups reads what the groups of digits tell: extensions, remarks, times and the number once more are none of it.
func TestGroups(t *testing.T) {
	for _, tt := range []struct{ raw, kind, normal string }{
		// an extension behind Beijing, whose area code begins like an SMS port
		{"+86-010-62671188-801", phone.Landline, "01062671188"},
		{"+86 010-62671188 3次", phone.Landline, "01062671188"},
		{"0086-10-65881234-8001", phone.Landline, "01065881234"},
		{"10-62671188-801", phone.Landline, "01062671188"},
		{"1069-0123-4567-89", phone.SMS, "10690123456789"},
		// two codes are no landline without its trunk 0
		{"95588 95533", phone.Code95Enterprise, "95588"},
		{"95588 80012", phone.Code95Enterprise, "95588"},
		{"95588-8001-2", phone.Code95Enterprise, "95588"},
		{"+8695588 95588", phone.Code95Spoofed, "+8695588"},
		{"9558895533", phone.Landline, "09558895533"},
		{"+86-5718502-0000", phone.Landline, "057185020000"},
		// a forged form is not outweighed by the genuine code beside it
		{"工商银行 95588 来电 显示 +8695588", phone.Code95Spoofed, "+8695588"},
		{"来电显示+8695588，不是95588", phone.Code95Spoofed, "+8695588"},
		{"95588/+8695588", phone.Code95Spoofed, "+8695588"},
		{"95588 008695588", phone.Code95Spoofed, "+8695588"},
		{"10086（显示+8610086）", phone.CarrierSpoofed, "+8610086"},
		{"95588 打来，同时 +8610086", phone.Code95Enterprise, "95588"}, // another code
		// what stands behind a code of variable length
		{"10086（2）", phone.Carrier, "10086"},
		{"10086-11", phone.Carrier, "10086"},
		{"10086 10:30", phone.Carrier, "10086"},
		{"10086 10086", phone.Carrier, "10086"},
		{"10086 95588", phone.Carrier, "10086"},
		{"1008611", phone.Carrier, "1008611"},
		{"95013-1", phone.Code95CallCentre, "95013"},
		{"95152-1", phone.Code95CallCentre, "95152"},
		{"96533-1", phone.Code96, "96533"},
		{"0871-96533-1", phone.AreaCode96, "087196533"},
		{"12123-1234", phone.Public, "12123"},
		{"+86 95013-1", phone.Code95Spoofed, "+8695013"},
		{"0095588-1", phone.Code95Spoofed, "0095588"},
		{"00966-50-1234567", phone.Foreign, "+966501234567"}, // no 96 code
		{"950 1234", phone.Code95CallCentre, "9501234"},      // spaced digits of one code
		{"952 02101", phone.Code95CallCentre, "95202101"},
		{"+86 955-88", phone.Code95Spoofed, "+8695588"},
		// prefixes that chose an operator, with a country code before or behind them
		{"17951008613812345678", phone.Mobile, "13812345678"},
		{"+861795113812345678", phone.Mobile, "13812345678"},
		{"861795113812345678", phone.Mobile, "13812345678"},
		{"+86 12593 13812345678", phone.Mobile, "13812345678"},
		{"12593-138-1234-5678", phone.Mobile, "13812345678"},
		{"+86 12593 138123456789", phone.Invalid, "+8612593138123456789"}, // never the forged 12593
		// a local number, or somebody's abroad, is no code behind 86
		{"86956169", phone.Invalid, "86956169"},
		{"86 956169", phone.Code95Spoofed, "+86956169"},
		{"8645311900", phone.Invalid, "8645311900"},
		// dates and times
		{"10:30 95588", phone.Code95Enterprise, "95588"},
		{"10点30 95588", phone.Code95Enterprise, "95588"},
		{"2026-10-15 10:30 95588来电", phone.Code95Enterprise, "95588"},
		{"2026-10-15 95588", phone.Code95Enterprise, "95588"},
		{"10/15/2026 95588", phone.Code95Enterprise, "95588"},
		{"20261015 10086", phone.Carrier, "10086"},
		{"1. 95588", phone.Code95Enterprise, "95588"},
		{"2026-10-15", phone.Text, "2026-10-15"},
		{"138-2010-1015", phone.Mobile, "13820101015"},
		{"0571-2010-10-12", phone.Landline, "057120101012"},
		// numbers of things
		{"1064812345678", phone.Invalid, "1064812345678"},
		{"+861064912345678", phone.Invalid, "+861064912345678"},
		{"1440123456789", phone.Invalid, "1440123456789"},
		{"1069012345678", phone.SMS, "1069012345678"},
		// Chinese numerals
		{"一三一一四五九〇〇〇〇", phone.Mobile, "13114590000"},
		{"来电幺三幺幺四五九零零零零，推销", phone.Mobile, "13114590000"},
		{"一三一一四五九〇〇〇〇〇", phone.Text, "一三一一四五九〇〇〇〇〇"},
		{"一二三四五", phone.Text, "一二三四五"},
	} {
		if n := phone.Parse(tt.raw); n.GetKind() != tt.kind || n.GetNormal() != tt.normal || n.GetDisplayed() != tt.raw {
			t.Errorf("%q: got %s %q (%s), want %s %q", tt.raw, n.GetKind(), n.GetNormal(), n.GetReason(), tt.kind, tt.normal)
		}
		checkFixedPoint(t, tt.raw)
	}
}

func TestThings(t *testing.T) {
	for _, raw := range []string{"1064712345678", "+8610648 1234 5678", "1410123456789"} {
		if n := phone.Parse(raw); n.GetKind() != phone.Invalid || !strings.Contains(n.GetReason(), "物联网") {
			t.Errorf("%s: %s %s", raw, n.GetKind(), n.GetReason())
		}
	}
}

// TestAllWrittenForms writes a number of every kind with every prefix, separator and remark, and knows what must come out:
// numbers of subscribers and of the intelligent network stay what they are, a code with something before it is forged.
func TestAllWrittenForms(t *testing.T) {
	subjects := []struct {
		groups string // as people group the digits
		kind   string
		forged string // what a prefix makes of it
	}{
		{"131 1459 0000", phone.Mobile, ""}, {"199 0000 0000", phone.Mobile, ""}, {"17041110000", phone.Mobile, ""},
		{"010 62671188", phone.Landline, ""}, {"010 6588 1234", phone.Landline, ""}, {"0571 85020000", phone.Landline, ""},
		{"0335 800 0000", phone.Landline, ""}, {"0955 8895533", phone.Landline, ""},
		{"400 680 0166", phone.Code400, ""}, {"800 820 8820", phone.Code800, ""}, {"1010 8888", phone.Code1010, ""},
		{"95588", phone.Code95Enterprise, phone.Code95Spoofed}, {"956169", phone.Code95Enterprise, phone.Code95Spoofed},
		{"95013", phone.Code95CallCentre, phone.Code95Spoofed}, {"9501 3001", phone.Code95CallCentre, phone.Code95Spoofed},
		{"952555", phone.Code95CallCentre, phone.Code95Spoofed}, {"95110", phone.Code95Public, phone.Code95Spoofed},
		{"96110", phone.Code96, phone.PublicSpoofed}, {"966888", phone.Code96, phone.PublicSpoofed}, {"12345", phone.Public, phone.PublicSpoofed},
		{"12123", phone.Public, phone.PublicSpoofed}, {"10086", phone.Carrier, phone.CarrierSpoofed}, {"11888", phone.Carrier, phone.CarrierSpoofed},
		{"0871 96533", phone.AreaCode96, ""},
	}
	prefixes := []string{"", "+86", "0086", "86", "086", "00", "0", "+86 0", "17951", "12593", "+86 17951", "17951 0086", "17951 86"}
	heads := []string{"", " ", "电话：", "2026-10-15 ", "10:30 ", "2026/10/15 10:30 ", "\u202a", "*"}
	tails := []string{"", " ", "转8001", "-801", "(2)", "（12）", " 10:30", " 2026-10-15", "，骚扰", " 3次"}
	count := 0
	for _, s := range subjects {
		for _, prefix := range prefixes {
			want, kind, ok := prefixed(s.groups, s.kind, s.forged, prefix)
			if !ok {
				continue
			}
			for _, sep := range []string{"", " ", "-", ".", "－", "\u00a0", ")", "\u200b"} {
				groups := s.groups
				if strings.HasPrefix(groups, "0") && prefix != "" && prefix != "17951" && prefix != "12593" {
					groups = groups[1:] // without its trunk 0
				}
				number := strings.ReplaceAll(prefix+" "+groups, " ", sep)
				if prefix == "" || prefix == "0" {
					number = prefix + strings.ReplaceAll(groups, " ", sep)
				}
				if prefix == "86" && (len(groups) == 6 && (sep == "" || sep == "\u200b") || s.kind == phone.AreaCode96 && sep == "") {
					continue // a local number, or somebody's abroad
				}
				for _, head := range heads {
					for _, tail := range tails {
						if sep == "" && tail != "" && tail[0] == ' ' && len(tail) < 6 && s.forged != "" && prefix != "" {
							tail = ""
						}
						if prefix == "00" && strings.ContainsAny(tail, "-(（") {
							continue // as well a number of Myanmar, 95
						}
						raw := head + number + tail
						count++
						if n := phone.Parse(raw); n.GetKind() != kind || n.GetNormal() != want {
							t.Errorf("%q: got %s %q (%s), want %s %q", raw, n.GetKind(), n.GetNormal(), n.GetReason(), kind, want)
						}
					}
				}
			}
		}
	}
	t.Logf("%d forms", count)
}

// prefixed is what a prefix makes of a number; not ok: nobody writes it so.
func prefixed(groups, kind, forged, prefix string) (normal, as string, ok bool) {
	digits := strings.ReplaceAll(groups, " ", "")
	access := strings.Contains(prefix, "17951") || prefix == "12593"
	switch {
	case prefix == "":
		return digits, kind, true
	case forged != "" && access, kind == phone.AreaCode96 && access, kind == phone.Code1010 && access:
		return "", "", false // no codes are dialled so
	case forged != "" && (prefix == "00" || prefix == "0"):
		return prefix + digits, forged, true
	case forged != "":
		return "+86" + digits, forged, true
	case prefix == "00", prefix == "0" && kind != phone.Mobile, prefix == "+86 0" && kind == phone.Code1010:
		return "", "", false
	case prefix == "+86 0" && digits[0] != '0' && kind != phone.Mobile:
		return "", "", false
	case (prefix == "+86 17951" || prefix == "17951 0086" || prefix == "17951 86") && kind == phone.Landline:
		return digits, kind, true
	}
	return digits, kind, true
}
