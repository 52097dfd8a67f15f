package assignment

import (
	"encoding/csv"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

func lexiconOf(t testing.TB) *lexicon {
	t.Helper()
	l, err := loadLexicon(BuiltinLexicon())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fixtures are made-up complaints told in citizens' own voice, for what no public text covers. Nothing was learned from them.
func fixtures(t testing.TB) []Labelled {
	t.Helper()
	return fixturesOf(t, "testdata/own.csv")
}

func fixturesOf(t testing.TB, file string) []Labelled {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	alternatives := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '|' }) }
	var found []Labelled
	for _, r := range rows[1:] { // id, text, company, type, number, sector, category, level2, alt_sector, alt_category
		found = append(found, Labelled{
			ID: r[0], Item: &assignmentv1.ClassifyItem{Text: r[1], Company: r[2], ReportedType: r[3], Number: r[4]},
			Sector: r[5], Category: r[6], AltSectors: alternatives(r[8]), AltCategories: alternatives(r[9]),
		})
	}
	return found
}

func classifierOf(t testing.TB) *Classifier {
	t.Helper()
	c, err := NewClassifier(BuiltinLexicon())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The accuracy on citizens' own words, by the lexicon alone and with the rows that come with it learned.
func TestClassify_citizensTexts(t *testing.T) {
	rows := fixtures(t)
	if len(rows) < 150 {
		t.Fatalf("%d rows, want 150", len(rows))
	}
	for _, tc := range []struct {
		name                              string
		learn                             bool
		sector, category, criminal, below float64
	}{
		{"lexicon", false, 0.87, 0.90, 0.90, 0.25},
		{"learned", true, 0.92, 0.93, 0.90, 0.25},
	} {
		c := classifierOf(t)
		if tc.learn {
			c.Learn(nil)
		}
		_, e := c.Evaluate(rows)
		if e.GetSectorAccuracy() < tc.sector || e.GetCategoryAccuracy() < tc.category || e.GetCriminalRecall() < tc.criminal ||
			e.GetBelowThreshold() > tc.below {
			t.Errorf("%s: sector %.3f, category %.3f, criminal recall %.3f, below the threshold %.3f; want %+v", tc.name,
				e.GetSectorAccuracy(), e.GetCategoryAccuracy(), e.GetCriminalRecall(), e.GetBelowThreshold(), tc)
		}
	}
}

// An answer that is given without a person is right nearly always.
func TestClassify_sureIsRight(t *testing.T) {
	c, sure, wrong := classifierOf(t), 0, 0
	for _, r := range fixtures(t) {
		got := c.Classify(r.Item)
		if got.GetConfidence() < Threshold {
			continue
		}
		sure++
		if got.GetSector() != r.Sector && !slices.Contains(r.AltSectors, got.GetSector()) {
			wrong++
		}
	}
	if wrong*100 > sure*6 {
		t.Errorf("%d of %d sure answers name another sector, want at most 6 %%", wrong, sure)
	}
}

func TestClassify_evidence(t *testing.T) {
	l := lexiconOf(t)
	for _, tc := range []struct {
		name             string
		item             *assignmentv1.ClassifyItem
		sector, category string
		sure             bool
	}{
		{"nothing known", &assignmentv1.ClassifyItem{}, "", "", false},
		{"text without a known word", &assignmentv1.ClassifyItem{Text: "你好"}, "", "", false},
		{"type alone is weak", &assignmentv1.ClassifyItem{ReportedType: "贷款理财"}, "loans", commercial, false},
		{"company alone is not enough", &assignmentv1.ClassifyItem{Company: "某某保险公司"}, "insurance", commercial, false},
		{"company with its type", &assignmentv1.ClassifyItem{Company: "某某保险公司", ReportedType: "保险推销"}, "insurance", commercial, true},
		{"type does not beat the text", &assignmentv1.ClassifyItem{Text: "无抵押贷款,当天放款", ReportedType: "房产中介"}, "loans", commercial, true},
		{"holder is strong", &assignmentv1.ClassifyItem{Text: "打电话推销", ReportedType: "其他", HolderSector: "education"}, "education", commercial, false},
		{"an unknown holder sector says nothing", &assignmentv1.ClassifyItem{HolderSector: "nonsense"}, "", "", false},
		{"signs between characters", &assignmentv1.ClassifyItem{Text: "代*开 发.票,增/值/税"}, "other", criminal, true},
		{"other script", &assignmentv1.ClassifyItem{Text: "低息貸款 無抵押 當天放款"}, "loans", commercial, true},
		{"full width", &assignmentv1.ClassifyItem{Text: "办理大额pos機 信用卡"}, "loans", commercial, true},
		{"context takes a word away", &assignmentv1.ClassifyItem{Text: "卖保险柜"}, "", "", false},
		{"odd bytes", &assignmentv1.ClassifyItem{Text: strings.Repeat("😀\x00", 50)}, "", "", false},
	} {
		got := l.classify(tc.item, nil)
		if got.GetSector() != tc.sector || got.GetCategory() != tc.category || (got.GetConfidence() >= 0.7) != tc.sure {
			t.Errorf("%s: got %s/%s %v, want %s/%s sure %v; %v", tc.name, got.GetSector(), got.GetCategory(), got.GetConfidence(),
				tc.sector, tc.category, tc.sure, got.GetWhy())
		}
	}
}

func TestClassify_sameAnswerAlways(t *testing.T) {
	one, two := lexiconOf(t), lexiconOf(t)
	for _, r := range fixtures(t) {
		item := &assignmentv1.ClassifyItem{Text: r.Item.GetText(), ReportedType: r.Item.GetReportedType(), Company: "平安保险", NumberKind: "code400"}
		first := one.classify(item, nil)
		for range 5 {
			if diff := cmp.Diff(first, two.classify(item, nil), protocmp.Transform()); diff != "" {
				t.Fatalf("%s: %s", r.ID, diff)
			}
		}
	}
}

// What is told of the evidence must not repeat what a reporter wrote.
func TestClassify_tellsNoText(t *testing.T) {
	l := lexiconOf(t)
	got := l.classify(&assignmentv1.ClassifyItem{Text: "张三13900001111推销贷款", Company: "李四保险", ReportedType: "王五", NumberKind: "x"}, nil)
	told := strings.Join(got.GetWhy(), " ")
	for _, secret := range []string{"张三", "13900001111", "李四", "王五"} {
		if strings.Contains(told, secret) {
			t.Errorf("evidence %q tells %q", told, secret)
		}
	}
	if !slices.Contains(got.GetWhy(), "word:贷款 -> loans/commercial +4") {
		t.Errorf("evidence %q lacks the word", told)
	}
}

const combinationsHead = "first,second,third,without,sector,category,level2,weight,reason\n"

func TestLoadLexicon_refusesBadData(t *testing.T) {
	good := fstest.MapFS{
		versionFile:       {Data: []byte("version,note\n1,x\n")},
		variantsFile:      {Data: []byte("variant,standard,kind\n貸,贷,script\n")},
		placeholdersFile:  {Data: []byte("token,stands_for\nurl,link\n")},
		taxonomyFile:      {Data: []byte("level2,category,sector,name,source\nloans,commercial,loans,贷款,x\n")},
		lexiconFile:       {Data: []byte("word,sector,category,level2,weight,with,without,reason\n贷款,loans,commercial,loans,4,,,x\n")},
		combinationsFile:  {Data: []byte(combinationsHead + "积分,现金,,退订,other,criminal,,-12,x\n")},
		costsFile:         {Data: []byte("category,basis,cost,reason\ncriminal,learned,2,x\n")},
		axesFile:          {Data: []byte("axis,value,word,weight,with,without\nchannel,sms,退订,3,,\n")},
		organisationsFile: {Data: []byte("name,numbers,sector,lender,weight\n工商银行,95588,loans,licensed,3\n")},
		typesFile:         {Data: []byte("field,value,sector,category,level2,weight\ntype,贷款,loans,commercial,loans,1\n")},
		trainingFile:      {Data: []byte("text,sector,category\n贷款,loans,commercial\n")},
	}
	if _, err := loadLexicon(good); err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][2]string{
		"sector":       {lexiconFile, "word,sector,category,level2,weight,with,without,reason\n贷款,loan,commercial,loans,4,,,x\n"},
		"class":        {lexiconFile, "word,sector,category,level2,weight,with,without,reason\n贷款,loans,commercial,loan,4,,,x\n"},
		"weight":       {lexiconFile, "word,sector,category,level2,weight,with,without,reason\n贷款,loans,commercial,loans,11,,,x\n"},
		"reason":       {lexiconFile, "word,sector,category,level2,weight,with,without,reason\n贷款,loans,commercial,loans,4,,,\n"},
		"together":     {combinationsFile, combinationsHead + "积分,现金,,,other,criminal,,21,x\n"},
		"nothing":      {combinationsFile, combinationsHead + "积分,现金,,,other,criminal,,0,x\n"},
		"why":          {combinationsFile, combinationsHead + "积分,现金,,,other,criminal,,9,\n"},
		"first":        {combinationsFile, combinationsHead + ",现金,,,other,criminal,,9,x\n"},
		"cost":         {costsFile, "category,basis,cost,reason\ncriminal,learned,0.5,x\n"},
		"basis":        {costsFile, "category,basis,cost,reason\ncriminal,guess,2,x\n"},
		"axis":         {axesFile, "axis,value,word,weight,with,without\nchannel,pigeon,退订,3,,\n"},
		"field":        {typesFile, "field,value,sector,category,level2,weight\ncolour,贷款,loans,commercial,loans,1\n"},
		"lender":       {organisationsFile, "name,numbers,sector,lender,weight\n工商银行,95588,loans,big,3\n"},
		"class's kind": {taxonomyFile, "level2,category,sector,name,source\nloans,business,loans,贷款,x\n"},
		"placeholder":  {placeholdersFile, "token,stands_for\nurl,nonsense\n"},
		"training":     {trainingFile, "text,sector,category\n贷款,loans,\n"},
		"variant":      {variantsFile, "variant,standard,kind\n貸款,贷,script\n"},
		"version":      {versionFile, "version,note\n"},
	} {
		bad := fstest.MapFS{}
		maps.Copy(bad, good)
		bad[broken[0]] = &fstest.MapFile{Data: []byte(broken[1])}
		if _, err := loadLexicon(bad); err == nil {
			t.Errorf("%s: bad data was taken", name)
		}
	}
}

// BenchmarkClassify is per classification, on as many goroutines as there are processors.
func BenchmarkClassify(b *testing.B) {
	rows := fixtures(b)
	for _, learned := range []bool{false, true} {
		b.Run(map[bool]string{false: "lexicon", true: "learned"}[learned], func(b *testing.B) {
			c := classifierOf(b)
			if learned {
				c.Learn(rows)
			}
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c.Classify(rows[int(next.Add(1))%len(rows)].Item)
				}
			})
		})
	}
}
