package phone_test

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAnyGroups reads digits in any groups, with whatever stands between them: the fuzzer finds bytes nobody thought of, and
// this the groups of digits that it seldom comes by.
func TestAnyGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	between := []string{"-", " ", "", "(", ")", "+", "：", "转", "/", "，", ":", ".", "*", " 主叫 "}
	begins := []string{"", "+", "+86", "0086", "86", "0", "00", "010", "021", "0571", "0755", "95", "9558", "400", "10", "100", "106", "12", "1259", "17951", "138"}
	for range 300_000 {
		var raw strings.Builder
		raw.WriteString(begins[random.IntN(len(begins))])
		for range 1 + random.IntN(4) {
			raw.WriteString(between[random.IntN(len(between))])
			for range random.IntN(9) {
				raw.WriteByte(byte('0' + random.IntN(10)))
			}
		}
		checkFixedPoint(t, raw.String())
	}
}
