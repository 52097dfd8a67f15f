package enforcement

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestYuanWords(t *testing.T) {
	for fen, want := range map[int64]string{
		0: "零元整", 1: "壹分", 10: "壹角整", 11: "壹角壹分", 100: "壹元整", 101: "壹元零壹分", 110: "壹元壹角整", 123: "壹元贰角叁分",
		1000: "壹拾元整", 10_005: "壹佰元零伍分", 10_500: "壹佰零伍元整", 100_000: "壹仟元整", 100_100: "壹仟零壹元整",
		1_000_000: "壹万元整", 2_000_000: "贰万元整", 1_000_100: "壹万零壹元整", 10_010_000: "壹拾万零壹佰元整", 10_100_000: "壹拾万壹仟元整",
		20_000_000: "贰拾万元整", 100_000_000: "壹佰万元整", 10_000_000_000: "壹亿元整", 10_000_000_100: "壹亿零壹元整",
		10_010_000_000: "壹亿零壹拾万元整", 10_100_000_000: "壹亿零壹佰万元整", 12_345_678_901: "壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元零壹分",
		1_000_000_000_000: "壹佰亿元整", 100_000_000_010_000: "壹万亿零壹佰元整",
	} {
		if got := yuanWords(fen); got != "人民币"+want {
			t.Errorf("%d fen: %s, want 人民币%s", fen, got, want)
		}
	}
}

// TestYuanWords_areReadBack: the words say the amount and no other.
func TestYuanWords_areReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(0, 999_999_999_999_99).Draw(t, "fen")
		if got := readBack(yuanWords(fen)); got != fen {
			t.Fatalf("%d fen is written %s and read %d", fen, yuanWords(fen), got)
		}
	})
}

// readBack reads capital numerals by place values alone.
func readBack(words string) int64 {
	units := map[rune]int64{'拾': 10, '佰': 100, '仟': 1000}
	var total, section, digit int64
	for _, r := range strings.TrimPrefix(words, "人民币") {
		if at := strings.IndexRune(capitals, r); at >= 0 {
			digit = int64(at / len("零"))
			continue
		}
		switch {
		case units[r] > 0:
			section += digit * units[r]
		case r == '万':
			if section += digit; section == 0 { // 万亿
				break
			}
			total, section = total+section*10_000, 0
		case r == '亿':
			section += digit
			total, section = (total+section)*100_000_000, 0
		case r == '元':
			total, section = (total+section+digit)*100, 0
		case r == '角':
			total += digit * 10
		case r == '分':
			total += digit
		}
		digit = 0
	}
	return total
}

func TestSinglesOut(t *testing.T) {
	for text, singled := range map[string]bool{
		"2026年9月至10月,当事人使用95012345号码向用户拨打商业营销电话,经查未取得同意。": false,
		"当事人使用4001234567、1010 1234号码。":                    false,
		"对当事人罚款人民币20000.00元(贰万元整),违法所得1234567.89元。":       false,
		"统一社会信用代码91110000000000000A,合同编号HT-2026-0001。":    false,
		"依据《行政处罚法》第四十四条、第四十五条。":                           false,
		"当事人向13800138000拨打电话。":                            true,
		"当事人向138 0013 8000拨打电话。":                          true,
		"当事人向138-0013-8000拨打电话。":                          true,
		"当事人向+86 13800138000拨打电话。":                        true,
		"当事人向１３８００１３８０００拨打电话。":                            true,
		"当事人向一三八零零一三八零零零拨打电话。":                            true,
		"当事人向幺三八〇〇幺三八〇〇〇拨打电话。":                            true,
		"被叫号码(010)6655 4433。":                             true,
		"2026年11月3日14:05拨打。":                              true,
		"2026年11月3日14时05分拨打。":                             true,
		"2026年11月3日下午3点半拨打。":                              true,
		"通话时长35。":                                         true,
		"通话持续3分钟。":                                        true,
		"录音35秒。":                                          true,
	} {
		if got := singlesOut(text); (got != "") != singled {
			t.Errorf("%s: %q", text, got)
		}
	}
}
