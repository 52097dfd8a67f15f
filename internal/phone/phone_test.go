package phone_test

import (
	"strings"
	"testing"
	"time"
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
		{"0013114590000", phone.Foreign, "+13114590000", "", ""}, // reads as a number of North America
		{"+86 (0)131 1459-0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"08613114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"17951 0131 1459 0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"17909 86 131 1459 0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"12583113114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"19013114590000", phone.Invalid, "19013114590000", "", ""}, // 190 chooses a network only before the trunk 0
		{"190013114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"131.1459.0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"131–1459—0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"131‑1459−0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"（131）1459－0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"【131】〔1459〕「0000」", phone.Mobile, "13114590000", "23", "cucc"},
		{"131\u00a01459\u20090000\ufeff", phone.Mobile, "13114590000", "23", "cucc"},
		{"\u202a\u200e131\u200b1459\u20600000\u202c", phone.Mobile, "13114590000", "23", "cucc"},
		{"'13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"’13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{`="13114590000"`, phone.Mobile, "13114590000", "23", "cucc"},
		{"13114590000.0", phone.Mobile, "13114590000", "23", "cucc"},
		{"13,114,590,000.00", phone.Mobile, "13114590000", "23", "cucc"},
		{"1.311459E+10", phone.Mobile, "13114590000", "23", "cucc"},
		{"1.3114590000e10", phone.Mobile, "13114590000", "23", "cucc"},
		{"tel:+86-131-1459-0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"sip:+8613114590000@ims.mnc001.mcc460.3gppnetwork.org", phone.Mobile, "13114590000", "23", "cucc"},
		{"来电显示：131 1459 0000（推销）", phone.Mobile, "13114590000", "23", "cucc"},
		{"号码13114590000骚扰我3次", phone.Mobile, "13114590000", "23", "cucc"},
		{"😀13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"2026-10-15 13:30 13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"自称95588客服，实为13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"13114590000/13214590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"131/1459/0000", phone.Mobile, "13114590000", "23", "cucc"},
		{"13114590000转1", phone.Mobile, "13114590000", "23", "cucc"},
		{"١٣١١٤٥٩٠٠٠٠", phone.Mobile, "13114590000", "23", "cucc"},
		{"𝟏𝟑𝟏𝟏𝟒𝟓𝟗𝟎𝟎𝟎𝟎", phone.Mobile, "13114590000", "23", "cucc"},
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
		{"010-62671188-8001", phone.Landline, "01062671188", "11", ""},
		{"010-62671188 ext. 8001", phone.Landline, "01062671188", "11", ""},
		{"010-62671188x8001", phone.Landline, "01062671188", "11", ""},
		{"010-62671188#8001", phone.Landline, "01062671188", "11", ""},
		{"010-62671188,8001", phone.Landline, "01062671188", "11", ""},
		{"010-62671188分机8001", phone.Landline, "01062671188", "11", ""},
		{"（０１０）６２６７１１８８", phone.Landline, "01062671188", "11", ""},
		{"86-10-6267-1188", phone.Landline, "01062671188", "11", ""},
		{"571-85020000", phone.Landline, "057185020000", "33", ""},
		{"0898-6533-0000", phone.Landline, "089865330000", "46", ""},
		{"1795105718502000", phone.Invalid, "1795105718502000", "", ""},
		{"17951057185020000", phone.Landline, "057185020000", "33", ""},
		{"0318-80000000", phone.Invalid, "031880000000", "", ""},
		{"0755-8000000", phone.Invalid, "07558000000", "", ""},
		// codes
		{"95588", phone.Code95Enterprise, "95588", "", ""},
		{"956169", phone.Code95Enterprise, "956169", "", ""},
		{"95163777", phone.Code95CallCentre, "95163777", "", ""},
		{"95110", phone.Code95Public, "95110", "", ""},
		{"953101234", phone.Invalid, "953101234", "", ""},
		{"96110", phone.Code96, "96110", "", ""},
		{"0871-96533", phone.AreaCode96, "087196533", "53", ""},
		{"400-680-0166", phone.Code400, "4006800166", "", "cucc"},
		{"8008208820", phone.Code800, "8008208820", "", ""},
		{"10108888", phone.Code1010, "10108888", "", ""},
		{"12345", phone.Public, "12345", "", ""},
		{"121232301", phone.Public, "121232301", "", ""},
		{"110", phone.Public, "110", "", ""},
		{"匪警110", phone.Public, "110", "", ""},
		{"010-12345", phone.Public, "01012345", "11", ""},
		{"0755-10086", phone.Carrier, "075510086", "44", "cmcc"},
		{"021-95561", phone.Code95Enterprise, "02195561", "", ""},
		{"95588.0", phone.Code95Enterprise, "95588", "", ""},
		{"95561234", phone.Invalid, "95561234", "", ""},
		{"95612", phone.Invalid, "95612", "", ""},
		{"9561234", phone.Invalid, "9561234", "", ""},
		{"952555", phone.Code95CallCentre, "952555", "", ""},
		{"95255", phone.Invalid, "95255", "", ""},
		{"95012345", phone.Code95CallCentre, "95012345", "", ""},
		{"950123456", phone.Invalid, "950123456", "", ""},
		{"12110371", phone.Public, "12110371", "", ""},
		{"966888", phone.Code96, "966888", "", ""},
		{"0791 968888", phone.AreaCode96, "0791968888", "36", ""},
		{"400-680-01", phone.Invalid, "40068001", "", ""},
		{"4008895580转2", phone.Code400, "4008895580", "", "ctcc"},
		{"客服 400-680-0166（人工）", phone.Code400, "4006800166", "", "cucc"},
		{"10086", phone.Carrier, "10086", "", "cmcc"},
		{"11888", phone.Carrier, "11888", "", ""},
		{"1069012345678", phone.SMS, "1069012345678", "", ""},
		// forged by form
		{"+8695588", phone.Code95Spoofed, "+8695588", "", ""},
		{"+86 955-88", phone.Code95Spoofed, "+8695588", "", ""},
		{"（＋８６）９５５８８", phone.Code95Spoofed, "+8695588", "", ""},
		{"86-95588", phone.Code95Spoofed, "+8695588", "", ""},
		{"+862195588", phone.Code95Spoofed, "+862195588", "", ""},
		{"0095588", phone.Code95Spoofed, "0095588", "", ""},
		{"095588", phone.Code95Spoofed, "095588", "", ""},
		{"来电+8695588自称银行", phone.Code95Spoofed, "+8695588", "", ""},
		{"+8612345", phone.PublicSpoofed, "+8612345", "", ""},
		{"00110", phone.PublicSpoofed, "00110", "", ""},
		{"008695588", phone.Code95Spoofed, "+8695588", "", ""},
		{"+86110", phone.PublicSpoofed, "+86110", "", ""},
		{"+8696110", phone.PublicSpoofed, "+8696110", "", ""},
		{"+8610086", phone.CarrierSpoofed, "+8610086", "", ""},
		{"0010086", phone.CarrierSpoofed, "0010086", "", ""},
		// foreign
		{"+1-415-667-7870", phone.Foreign, "+14156677870", "", ""},
		{"0014156677870", phone.Foreign, "+14156677870", "", ""},
		{"+85221234567", phone.Foreign, "+85221234567", "", ""},
		{"1-415-667-7870", phone.Foreign, "+14156677870", "", ""},
		{"1 (800) 633-0738", phone.Foreign, "+18006330738", "", ""},
		{"1-381-459-0000", phone.Mobile, "13814590000", "", "cmcc"}, // there is no such area in North America
		{"+86+13114590000", phone.Mobile, "13114590000", "23", "cucc"},
		{"+61 132221", phone.Foreign, "+61132221", "", ""},
		// nothing to keep a complaint under
		{"", phone.Empty, "", "", ""},
		{" ", phone.Empty, "", "", ""},
		{"私人号码", phone.Text, "私人号码", "", ""},
		{" unknown\u200b", phone.Text, "unknown", "", ""},
		{"-", phone.Text, "-", "", ""},
		{"138****0000", phone.Text, "138****0000", "", ""},
		{"2026年10月15日来电", phone.Text, "2026年10月15日来电", "", ""},
		{"约120元", phone.Text, "约120元", "", ""},
		{"\x00\xff", phone.Text, "\ufffd\ufffd", "", ""},
		{"\u200b\u00a0", phone.Empty, "", "", ""},
		{strings.Repeat("1", 40), phone.Invalid, strings.Repeat("1", 40), "", ""},
		{strings.Repeat("1", 4000), phone.Invalid, strings.Repeat("1", 512), "", ""},
		{"1.31E+10", phone.Invalid, "1.31E+10", "", ""},
		{"95588/abc", phone.Code95Enterprise, "95588", "", ""},
		{"555,666", phone.Invalid, "555666", "", ""},
		{"555/666", phone.Invalid, "555/666", "", ""},
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
		"4006800166": "4006800166", "+14156677870": "+14****70", "": "", "+8695588": "+8695588", "087196533": "0871****33", "张三138": "****", "北京朝阳区": "****",
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

func TestSegmentOwner(t *testing.T) {
	for raw, want := range map[string]string{
		"13114590000": "联通", "16200000000": "电信虚拟", "19200000000": "广电", "95588": "", "4006800166": "", "17001110000": "电信虚拟", "14800000000": "移动",
	} {
		if got := phone.SegmentOwner(phone.Parse(raw)); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

func TestLocal96(t *testing.T) {
	for normal, want := range map[string]string{"087196533": "96533 0871", "01096066": "96066 010", "96533": "", "087180000000": "", "": "", "01012345": ""} {
		code, area, ok := phone.Local96(normal)
		if got := strings.TrimSpace(code + " " + area); ok != (want != "") || got != want {
			t.Errorf("%s: got %q", normal, got)
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

// TestWrittenFormsAgree writes a mobile in one of the ways in which people do, among words or not.
func TestWrittenFormsAgree(t *testing.T) {
	before := rapid.SampledFrom([]string{"", "+86", "0086", "86", "86-", "0", "17951", "12593", "tel:+86", "'", "电话：", "主叫", " ", "\u202a"})
	between := rapid.SampledFrom([]string{"", " ", "-", "－", "–", ".", "\u00a0", "\u200b", ")", "　"})
	after := rapid.SampledFrom([]string{"", " ", "转8001", ".0", "(推销)", "，骚扰", "\u202c", "#12", ";ext=5"})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SampledFrom([]string{"138", "141", "149", "162", "170", "192", "199"}).Draw(t, "segment") +
			rapid.StringMatching("[0-9]{8}").Draw(t, "rest")
		mark, tail := between.Draw(t, "between"), after.Draw(t, "after")
		if tail == ".0" { // what a spreadsheet makes of it has nothing between
			mark = ""
		}
		raw := before.Draw(t, "before") + want[:3] + mark + want[3:7] + mark + want[7:] + tail
		if rapid.Bool().Draw(t, "full width") && tail != ".0" {
			raw = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r - '0' + '０'
				}
				return r
			}, raw)
		}
		if n := phone.Parse(raw); n.Kind != phone.Mobile || n.Normal != want || n.Displayed != raw {
			t.Fatalf("%q: %s %q %s", raw, n.Kind, n.Normal, n.Reason)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"13114590000", "+8695588", "0010086", "0871-96533", "（０１０）６２６７１１８８转1", "+\x00", "私人", "1.3E+10",
		"13,114,590,000.00", "a1/2,3;4|5", "=\"95588\"", strings.Repeat("1-", 300), strings.Repeat("\xff1", 300), "tel:+86(0)10-1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		start := time.Now()
		checkFixedPoint(t, raw)
		if took := time.Since(start); took > time.Second { // some 20 µs at most; a second allows for a busy machine
			t.Fatalf("%d bytes took %s", len(raw), took)
		}
	})
}

// TestLongTextsAreBounded reads what no person writes.
func TestLongTextsAreBounded(t *testing.T) {
	for _, raw := range []string{strings.Repeat("1", 1<<20), strings.Repeat("1-", 1<<19), strings.Repeat("+8", 1<<19), strings.Repeat("转1", 1<<18),
		strings.Repeat("1/", 1<<19), strings.Repeat("\xff", 1<<20), strings.Repeat("\x00", 1<<20), strings.Repeat(" ", 1<<20), strings.Repeat("中", 1<<19)} {
		checkFixedPoint(t, raw)
		if n := phone.Parse(raw); len(n.Normal) > 512 {
			t.Errorf("%.10q...: normal form of %d bytes", raw, len(n.Normal))
		}
	}
}

type failer interface{ Fatalf(string, ...any) }

func checkFixedPoint(t failer, raw string) {
	n := phone.Parse(raw)
	if !utf8.ValidString(n.Displayed) || n.Kind == "" {
		t.Fatalf("%q: displayed %q, kind %q", raw, n.Displayed, n.Kind)
	}
	if (n.Normal == "") != (n.Kind == phone.Empty) || len(n.Normal) > 512 {
		t.Fatalf("%q: %s has normal form %q", raw, n.Kind, n.Normal)
	}
	again := phone.Parse(n.Normal)
	if again.Normal != n.Normal || again.Kind != n.Kind {
		t.Fatalf("%q: %s %q, again %s %q", raw, n.Kind, n.Normal, again.Kind, again.Normal)
	}
	if (phone.Forged(n.Kind) || !phone.Usable(n)) != (n.Reason != "") && n.Kind != phone.Foreign && !strings.HasPrefix(n.Kind, "code95") {
		t.Fatalf("%q: %s with reason %q", raw, n.Kind, n.Reason)
	}
	if phone.Forged(n.Kind) && n.Organization != "" {
		t.Fatalf("%q names the true holder", raw)
	}
	if m := phone.Mask(n.Normal); (n.Kind == phone.Mobile || n.Kind == phone.Landline || n.Kind == phone.Text) && m == n.Normal && m != "****" {
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
