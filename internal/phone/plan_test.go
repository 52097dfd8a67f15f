package phone

import (
	"strings"
	"testing"
)

// TestPlanHasNoOverlaps holds the rows of each file apart: no digits belong to two of them, and every row names its source.
func TestPlanHasNoOverlaps(t *testing.T) {
	type span struct {
		first, last string
		min, max    int
	}
	spans := map[string]func(r map[string]string) span{
		"segments":  func(r map[string]string) span { return span{r["first"], r["last"], 11, 11} },
		"inferred":  func(r map[string]string) span { return span{r["first"], r["last"], 11, 11} },
		"codes":     func(r map[string]string) span { return span{r["first"], r["last"], number(r["min"]), number(r["max"])} },
		"operators": func(r map[string]string) span { return span{r["prefix"], r["prefix"], 10, 10} },
		"prefixes":  func(r map[string]string) span { return span{r["prefix"], r["prefix"], 14, 20} },
		"areas":     func(r map[string]string) span { return span{r["area"], r["area"], 10, 12} },
		"services":  func(r map[string]string) span { n := len(r["number"]); return span{r["number"], r["number"], n, n} },
	}
	fill := func(s, with string) string { return s + strings.Repeat(with, 20-len(s)) }
	for name, of := range spans {
		rows := planRows(name)
		if len(rows) == 0 {
			t.Errorf("%s is empty", name)
		}
		for i, r := range rows {
			if r["source"] == "" {
				t.Errorf("%s row %d has no source", name, i+2)
			}
			a := of(r)
			if a.first > a.last || len(a.first) != len(a.last) || a.min > a.max || a.max > maxDigits || len(a.first) > a.max {
				t.Errorf("%s row %d is no range: %v", name, i+2, a)
			}
			for j := range i {
				b := of(rows[j])
				if a.min <= b.max && b.min <= a.max && fill(a.first, "0") <= fill(b.last, "9") && fill(b.first, "0") <= fill(a.last, "9") {
					t.Errorf("%s rows %d and %d overlap: %v, %v", name, i+2, j+2, a, b)
				}
			}
		}
	}
}

// TestPlanIsSound checks that the files fit each other: codes are of known kinds, no segment is also a code of eleven
// digits, organisations have a code or an area, provinces exist.
func TestPlanIsSound(t *testing.T) {
	for _, r := range planRows("segments") {
		for _, d := range []string{r["first"] + "0000000", r["last"] + "9999999"} {
			if c := codeOf(d); c != nil {
				t.Errorf("%s is a mobile and a %s", d, c.kind)
			}
			if s, ok := segmentOf(d); !ok || s.carrier == "" {
				t.Errorf("%s has no operator", d)
			}
		}
	}
	kinds := map[string]bool{Code400: true, Code800: true, Code1010: true, Code95Enterprise: true, Code95CallCentre: true,
		Code95Public: true, Code96: true, Carrier: true, Public: true, SMS: true}
	for _, r := range planRows("codes") {
		if !kinds[r["kind"]] {
			t.Errorf("no such kind: %v", r)
		}
	}
	for _, r := range planRows("services") {
		if n := Parse(r["number"]); r["match"] == "" && (!Usable(n) || n.GetOrganization() != r["organization"]) {
			t.Errorf("%s of %s is %s with organisation %q", r["number"], r["organization"], n.GetKind(), n.GetOrganization())
		}
	}
	for _, r := range planRows("areas") {
		if plan.provinces[r["province"]] == "" || r["city"] == "" {
			t.Errorf("area %s is nowhere: %v", r["area"], r)
		}
		if ProvinceName(ProvinceCode(r["province"])) != r["province"] {
			t.Errorf("province %s", r["province"])
		}
	}
}

// TestPlaces reads names as the geodata writes them.
func TestPlaces(t *testing.T) {
	for name, want := range map[string]place{
		"湖北省恩施土家族苗族自治州": {"42", "恩施"}, "云南省红河哈尼族彝族自治州": {"53", "红河"}, "新疆巴音郭楞蒙古自治州": {"65", "巴音郭楞"},
		"新疆克孜勒苏柯尔克孜自治州": {"65", "克孜勒苏"}, "内蒙古锡林郭勒盟": {"15", "锡林郭勒盟"}, "黑龙江省大兴安岭地区": {"23", "大兴安岭"},
		"北京市": {"11", "北京"}, "安徽省合肥市、巢湖市": {"34", "合肥"}, "西藏拉萨市": {"54", "拉萨"}, "吉林省吉林市": {"22", "吉林"}, "中国": {}, "": {},
		"四川省": {"51", ""}, "湖北省襄樊市": {"42", "襄阳"},
	} {
		if got := plan.places.named(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestLoadPlaces(t *testing.T) {
	defer func() { plan.places.blocks[1949999-firstBlock].Store(unasked) }()
	n, err := LoadPlaces(strings.NewReader("\ufeff号段,省份,城市,运营商\n1949999,云南,昆明市,移动\n"))
	if n != 1 || err != nil {
		t.Fatalf("got %d rows, %v", n, err)
	}
	if where, basis := plan.places.ofMobile("19499990000"); where != (place{"53", "昆明"}) || basis != BasisSegment {
		t.Errorf("got %v by %s", where, basis)
	}
	for _, bad := range []string{"", "a,b,c\n", "prefix,province,city\n139,云南,昆明\n", "prefix,province,city\n1390000,Atlantis,x\n",
		"prefix,province,city\n1390000,云南\n"} {
		if _, err := LoadPlaces(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was loaded", bad)
		}
	}
}

// TestInferred follows the way in which newer segments are given out, and says that it does.
func TestInferred(t *testing.T) {
	for number, province := range map[string]string{"19607360000": "43", "19037040000": "41", "14600000000": "32", "19707070000": "36"} {
		n := Parse(number)
		if n.GetProvince() != province || n.GetPlaceBasis() != BasisInferred {
			t.Errorf("%s: %s by %s, want %s", number, n.GetProvince(), n.GetPlaceBasis(), province)
		}
		if got := SureProvince(n); got != "" {
			t.Errorf("%s is surely of %s", number, got)
		}
	}
}
