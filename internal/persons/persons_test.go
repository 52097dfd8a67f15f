package persons_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"quietline/internal/persons"
)

func TestMask_everyWayOfWriting(t *testing.T) {
	for text, want := range map[string]string{
		"回电+8613800138000核实":          "回电138****8000核实",
		"8613800138000":               "138****8000",
		"008613800138000":             "138****8000",
		"+86 138 0013 8000":           "138****8000",
		"138 0013 8000":               "138****8000",
		"138-0013-8000":               "138****8000",
		"138\u200b0013\u200b8000":     "138****8000",
		"13800138000":                 "138****8000",
		"tel13800138000":              "tel138****8000",
		"电话(13800138000)":             "电话(138****8000)",
		"(010)62300000":               "010****00",
		"010 62300000":                "010****00",
		"+86 10 62300000":             "010****00",
		"11010519491231002x的当事人":      "110105************的当事人",
		"110105 19491231 002X":        "110105************",
		"码号95013123、4001234567":       "码号95013123、4001234567",
		"服务号码400-123-4567,10100001":   "服务号码400-123-4567,10100001",
		"许可证B2-20260001,自2026-01-02起": "许可证B2-20260001,自2026-01-02起",
		"2026-01-02 1000000元":         "2026-01-02 1000000元",
		"91110000000000000A":          "91110000000000000A",
		"罚款20000.00元，〔2026〕1号":        "罚款20000.00元，〔2026〕1号",
	} {
		if got := persons.Mask(text); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

// Whatever stands around a number and between its groups, it is not read on a page, and masking again changes nothing.
func TestMask_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "number")
		gap := rapid.SampledFrom([]string{"", " ", "-", "　", "－", ") ", "."}).Draw(t, "gap")
		prefix := rapid.SampledFrom([]string{"", "+86", "86", "0086", "+86 ", "86-", "0", "tel", "号码:"}).Draw(t, "prefix")
		around := rapid.StringMatching(`[,。:号的a-z〔〕]{0,4}`)
		text := around.Draw(t, "before") + "，" + prefix + number[:3] + gap + number[3:7] + gap + number[7:] + "，" + around.Draw(t, "after")
		once := persons.Mask(text)
		if strings.Contains(onlyDigits(once), number) {
			t.Fatalf("%s: %s", text, once)
		}
		if again := persons.Mask(once); again != once {
			t.Fatalf("%s, again %s", once, again)
		}
	})
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// Subscribers' numbers in Chinese numerals, local numbers without an area code, identity numbers of fifteen digits.
func TestMask_otherForms(t *testing.T) {
	for text, want := range map[string]string{
		"主叫一三八零零一三八零零零":                                   "主叫138****8000",
		"壹叁捌 〇〇壹叁 捌〇〇〇":                                   "138****8000",
		"幺三八〇〇幺三八〇〇〇":                                     "138****8000",
		"一三八0013八000":                                     "138****8000",
		"第一13800138000号":                                  "第一138****8000号",
		"〇一〇-六二三〇〇〇〇〇":                                    "010****00",
		"电话:62300000":                                     "电话:62****00",
		"来电 6230-0000":                                    "来电 62****00",
		"座机为6230000,另行核实":                                 "座机为62***00,另行核实",
		"联系电话62300000、62300001":                           "联系电话62****00、62****01",
		"TEL 8230 0000":                                   "TEL 82****00",
		"电话62300000分机12":                                  "电话62****00分机12",
		"来电62300000次日再打":                                  "来电62****00次日再打",
		"拨打 62300000 人工接听":                                "拨打 62****00 人工接听",
		"1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e300138000": "138****8000",
		"拨打八二三〇〇〇〇〇":                                      "拨打82****00",
		"身份证110105491231002":                              "身份证110105*********",
		"证件 110105 491231 002 号":                          "证件 110105********* 号",
		"一一〇一〇五一九四九一二三一〇〇二X":                              "110105************",
	} {
		if got := persons.Mask(text); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
		if !persons.Named(text) {
			t.Errorf("%s names nobody", text)
		}
	}
}

// What is no person's number stays as it was written.
func TestMask_whatStays(t *testing.T) {
	for _, text := range []string{
		"罚款三万元,没收违法所得一二三四五六七八九〇一元", "二〇二六年十一月二十二日", "二〇二六〇一〇二", "第三十八条第一款", "京通罚字〔二〇二六〕十三号",
		"罚款62300000元", "共 6230000 次", "来电6230000次", "拨打 62300000 次", "金额62300000", "案号20260062300", "来电20260102",
		"电话费6230000", "拨打95013123", "电话4001234567", "码号95013123、96110", "电话12321", "致电10086", "电话:010****00",
		"91110000000000000A", "三91110000MA01ABCD1X", "注册号110105491231002", "2026-01-02 1000000元", "110105991331002", "990105491231002",
		"task 01381234-5678-7000-8138-001380001234", "sha256 0000",
		"SHA-256 3fa013800138000bc4c8996fb92427ae41e4649b934ca495991b7852b8a01390",
		"哈希13800138000f4c8996fb92427ae41e4649b934ca495991b7852b855e3b0c4abc,已存", "2026-11-22 08:00 至 2026-11-23 18:00", "B2-20260001", "100,000,000.00元",
		"业务编号 110105491231002", "七八九三十五", "一带一路二〇三五", "每10000用户12.5件", "号码簿2026", "电话营销 20000000 个",
	} {
		if got := persons.Mask(text); got != text {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// However digits are written as Chinese signs, the number is not read.
func TestMask_numerals(t *testing.T) {
	sets := [][]rune{[]rune("0123456789"), []rune("〇一二三四五六七八九"), []rune("零壹贰叁肆伍陆柒捌玖")}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "number")
		var text strings.Builder
		for _, d := range number {
			text.WriteRune(rapid.SampledFrom(sets).Draw(t, "signs")[d-'0'])
		}
		once := persons.Mask("主叫" + text.String() + "核实")
		if !strings.Contains(once, "****") || persons.Mask(once) != once {
			t.Fatalf("%s: %s", text.String(), once)
		}
	})
}
