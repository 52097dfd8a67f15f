package phone_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"quietline/internal/phone"
)

func TestParse(t *testing.T) {
	tests := []struct{ raw, kind, normal, province, carrier string }{
		// one mobile, every way people write it
		{"13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"１３１１４５９００００", phone.Mobile, "13114590000", "23", "cucc"},
		{"131-1459-0000", phone.Mobile, "13114590000", "23", "cucc"},
		{" 131 1459 0000 ", phone.Mobile, "13114590000", "23", "cucc"},
		{"(+86)13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"+86 131 1459 0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"008613114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"8613114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"013114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"1795113114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"1259313114590000", phone.Mobile, "13114590000", "23", "cucc"},
		// newer segments, and segments shared by operators
		{"14103710000", phone.Mobile, "14103710000", "", "ctcc"},
		{"14811110000", phone.Mobile, "14811110000", "", "cmcc"},
		{"16511110000", phone.Mobile, "16511110000", "", "cmcc"},
		{"19211110000", phone.Mobile, "19211110000", "", "cbn"},
		{"17001110000", phone.Mobile, "17001110000", "11", "ctcc"},
		{"17031110000", phone.Mobile, "17031110000", "", "cmcc"},
		{"17041110000", phone.Mobile, "17041110000", "", "cucc"},
		// landlines
		{"0871 80000000", phone.Landline, "087180000000", "53", ""},
		{"(0335)8000000", phone.Landline, "03358000000", "13", ""},
		{"010-62671188", phone.Landline, "01062671188", "11", ""},
		{"+86 10 62671188", phone.Landline, "01062671188", "11", ""},
		{"+86 21-28913888", phone.Landline, "02128913888", "31", ""},
		{"00863518000000", phone.Landline, "03518000000", "14", ""},
		{"010-62671188转8001", phone.Landline, "01062671188", "11", ""},
		{"0755-8000000", phone.Invalid, "07558000000", "", ""},
		// codes
		{"95588", phone.Code95Enterprise, "95588", "", ""},
		{"956169", phone.Code95Enterprise, "956169", "", ""},
		{"95163777", phone.Code95CallCentre, "95163777", "", ""},
		{"95110", phone.Code95Public, "95110", "", ""},
		{"953101234", phone.Invalid, "953101234", "", ""},
		{"96110", phone.Code96, "96110", "", ""},
		{"0871-96533", phone.Code96, "087196533", "53", ""},
		{"400-680-0166", phone.Code400, "4006800166", "", "cucc"},
		{"8008208820", phone.Code800, "8008208820", "", ""},
		{"10108888", phone.Code1010, "10108888", "", ""},
		{"12345", phone.Public, "12345", "", ""},
		{"121232301", phone.Public, "121232301", "", ""},
		{"110", phone.Public, "110", "", ""},
		{"10086", phone.Carrier, "10086", "", "cmcc"},
		{"11888", phone.Carrier, "11888", "", ""},
		{"1069012345678", phone.SMS, "1069012345678", "", ""},
		// forged by form
		{"+8695588", phone.Code95Spoofed, "+8695588", "", ""},
		{"008695588", phone.Code95Spoofed, "+8695588", "", ""},
		{"+86110", phone.PublicSpoofed, "+86110", "", ""},
		{"+8696110", phone.PublicSpoofed, "+8696110", "", ""},
		{"+8610086", phone.CarrierSpoofed, "+8610086", "", ""},
		{"0010086", phone.CarrierSpoofed, "0010086", "", ""},
		// foreign
		{"+1-415-667-7870", phone.Foreign, "+14156677870", "", ""},
		{"0014156677870", phone.Foreign, "+14156677870", "", ""},
		{"+85221234567", phone.Foreign, "+85221234567", "", ""},
		{"+61 132221", phone.Foreign, "+61132221", "", ""},
		// nothing to keep a complaint under
		{"", phone.Empty, "", "", ""},
		{" ", phone.Empty, "", "", ""},
		{"私人号码", phone.Text, "", "", ""},
		{"unknown", phone.Text, "", "", ""},
		{"8005078317;222", phone.Text, "", "", ""},
		{"\x00\xff", phone.Text, "", "", ""},
		{"😀13114590000", phone.Text, "", "", ""},
		{strings.Repeat("1", 40), phone.Invalid, "", "", ""},
		{strings.Repeat("1", 4000), phone.Text, "", "", ""},
		{"1380000000", phone.Invalid, "1380000000", "", ""},
		{"+10086", phone.Invalid, "+10086", "", ""},
		{"+0008613800000000", phone.Invalid, "+0008613800000000", "", ""},
		{"62671188", phone.Invalid, "62671188", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.raw[:min(len(tt.raw), 30)], func(t *testing.T) {
			n := phone.Parse(tt.raw)
			if n.Kind != tt.kind || n.Normal != tt.normal {
				t.Fatalf("got %s %q (%s), want %s %q", n.Kind, n.Normal, n.Reason, tt.kind, tt.normal)
			}
			if n.Province != tt.province && tt.province != "" || n.AllocatedCarrier != tt.carrier {
				t.Errorf("province %q, operator %q; want %q, %q", n.Province, n.AllocatedCarrier, tt.province, tt.carrier)
			}
			if (phone.Forged(n.Kind) || !phone.Usable(n)) && n.Reason == "" {
				t.Error("no reason given")
			}
			if phone.Usable(n) == (tt.kind == phone.Invalid || tt.kind == phone.Text || tt.kind == phone.Empty) {
				t.Errorf("usable: %v", phone.Usable(n))
			}
		})
	}
}

func TestParseIn(t *testing.T) {
	for raw, want := range map[string]string{
		"4703352559": "+14703352559", "(217) 839-8804": "+12178398804", "12178398804": "+12178398804",
		"2780914": "", "": "", "70611454600144": "",
	} {
		n := phone.ParseIn(raw, "US")
		if got := n.Normal; phone.Usable(n) != (want != "") || want != "" && got != want {
			t.Errorf("%q: got %s %q, want %q", raw, n.Kind, got, want)
		}
	}
	if n := phone.ParseIn("13114590000", "CN"); n.Kind != phone.Mobile {
		t.Errorf("CN: %s", n.Kind)
	}
}

func TestMask(t *testing.T) {
	for normal, want := range map[string]string{
		"13114590000": "131****0000", "087180000000": "0871****00", "01062671188": "010****88", "95588": "95588",
		"4006800166": "4006800166", "+14156677870": "+14****70", "": "", "+8695588": "+8695588", "087196533": "0871****33",
	} {
		if got := phone.Mask(normal); got != want {
			t.Errorf("%q: got %q, want %q", normal, got, want)
		}
	}
}

func TestResale(t *testing.T) {
	for normal, want := range map[string]bool{"17041110000": true, "13114590000": false, "95588": false} {
		if got := phone.Resale(normal); got != want {
			t.Errorf("%s: %v", normal, got)
		}
	}
}

// TestNormalFormsAreFixedPoints draws numbers the way they are written and forged.
func TestNormalFormsAreFixedPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "+", "+86", "0086", "86", "00", "0", "17951", "+860", "+1", "95", "96", "400", "010", "12", "106", "1"}).Draw(t, "prefix")
		digits := rapid.StringMatching(`[0-9]{0,22}`).Draw(t, "digits")
		checkFixedPoint(t, prefix+digits)
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"13114590000", "+8695588", "0010086", "0871-96533", "（０１０）６２６７１１８８转1", "+\x00", "私人"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkFixedPoint(t, raw) })
}

type failer interface{ Fatalf(string, ...any) }

func checkFixedPoint(t failer, raw string) {
	n := phone.Parse(raw)
	if !utf8.ValidString(n.Displayed) || n.Kind == "" {
		t.Fatalf("%q: displayed %q, kind %q", raw, n.Displayed, n.Kind)
	}
	if n.Normal == "" {
		if phone.Usable(n) {
			t.Fatalf("%q is usable without normal form", raw)
		}
		return
	}
	again := phone.Parse(n.Normal)
	if again.Normal != n.Normal || again.Kind != n.Kind {
		t.Fatalf("%q: %s %q, again %s %q", raw, n.Kind, n.Normal, again.Kind, again.Normal)
	}
	if m := phone.Mask(n.Normal); (n.Kind == phone.Mobile || n.Kind == phone.Landline) && m == n.Normal {
		t.Fatalf("%q is not masked", n.Normal)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, raw := range []string{"13114590000", "95588", "4008895580", "087180000000", "+14156677870"} {
		b.Run(raw, func(b *testing.B) {
			for b.Loop() {
				phone.Parse(raw)
			}
		})
	}
}
