package assignment

import (
	"encoding/csv"
	"maps"
	"os"
	"slices"
	"strings"
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

// fixtures are complaints told in citizens' own voice.
func fixtures(t testing.TB) [][]string {
	t.Helper()
	f, err := os.Open("testdata/texts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func TestClassify_citizensTexts(t *testing.T) {
	l, sure, right := lexiconOf(t), 0, 0
	rows := fixtures(t)
	for _, r := range rows {
		got := l.classify(&assignmentv1.ClassifyItem{Text: r[0], ReportedType: r[1]})
		ok := got.GetSector() == r[2] && got.GetCategory() == r[3]
		if ok {
			right++
		}
		if got.GetConfidence() < 0.7 {
			continue
		}
		sure++
		if !ok {
			t.Errorf("%s: sure of %s/%s (%v), want %s/%s: %v", r[0], got.GetSector(), got.GetCategory(), got.GetConfidence(), r[2], r[3], got.GetWhy())
		}
	}
	if right*100 < len(rows)*95 {
		t.Errorf("%d of %d right, want 95 %%", right, len(rows))
	}
	if sure*100 < len(rows)*75 {
		t.Errorf("sure of %d of %d, want 75 %%", sure, len(rows))
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
		{"holder is strong", &assignmentv1.ClassifyItem{Text: "打电话推销", ReportedType: "其他", HolderSector: "education"}, "education", "", false},
		{"an unknown holder sector says nothing", &assignmentv1.ClassifyItem{HolderSector: "nonsense"}, "", "", false},
		{"signs between characters", &assignmentv1.ClassifyItem{Text: "代*开 发.票,增/值/税"}, "other", criminal, true},
		{"other script", &assignmentv1.ClassifyItem{Text: "低息貸款 無抵押 當天放款"}, "loans", commercial, true},
		{"full width", &assignmentv1.ClassifyItem{Text: "办理大额pos機 信用卡"}, "loans", commercial, true},
		{"context takes a word away", &assignmentv1.ClassifyItem{Text: "卖保险柜"}, "", "", false},
		{"odd bytes", &assignmentv1.ClassifyItem{Text: strings.Repeat("😀\x00", 50)}, "", "", false},
	} {
		got := l.classify(tc.item)
		if got.GetSector() != tc.sector || got.GetCategory() != tc.category || (got.GetConfidence() >= 0.7) != tc.sure {
			t.Errorf("%s: got %s/%s %v, want %s/%s sure %v; %v", tc.name, got.GetSector(), got.GetCategory(), got.GetConfidence(),
				tc.sector, tc.category, tc.sure, got.GetWhy())
		}
	}
}

func TestClassify_sameAnswerAlways(t *testing.T) {
	one, two := lexiconOf(t), lexiconOf(t)
	for _, r := range fixtures(t) {
		item := &assignmentv1.ClassifyItem{Text: r[0], ReportedType: r[1], Company: "平安保险", NumberKind: "code400"}
		first := one.classify(item)
		for range 5 {
			if diff := cmp.Diff(first, two.classify(item), protocmp.Transform()); diff != "" {
				t.Fatalf("%s: %s", r[0], diff)
			}
		}
	}
}

// What is told of the evidence must not repeat what a reporter wrote.
func TestClassify_tellsNoText(t *testing.T) {
	l := lexiconOf(t)
	got := l.classify(&assignmentv1.ClassifyItem{Text: "张三13900001111推销贷款", Company: "李四保险", ReportedType: "王五", NumberKind: "x"})
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

func TestLoadLexicon_refusesBadData(t *testing.T) {
	good := fstest.MapFS{
		versionFile:  {Data: []byte("version,note\n1,x\n")},
		variantsFile: {Data: []byte("variant,standard\n貸,贷\n")},
		evidenceFile: {Data: []byte("field,value,sector,category,weight\ntype,贷款,loans,commercial,1\n")},
		lexiconFile:  {Data: []byte("word,sector,category,weight,with,without\n贷款,loans,commercial,4,,\n")},
	}
	if _, err := loadLexicon(good); err != nil {
		t.Fatal(err)
	}
	for file, data := range map[string]string{
		lexiconFile:  "word,sector,category,weight,with,without\n贷款,loan,commercial,4,,\n",
		evidenceFile: "field,value,sector,category,weight\ncolour,贷款,loans,commercial,1\n",
		variantsFile: "variant,standard\n貸款,贷\n",
		versionFile:  "version,note\n",
	} {
		bad := fstest.MapFS{}
		maps.Copy(bad, good)
		bad[file] = &fstest.MapFile{Data: []byte(data)}
		if _, err := loadLexicon(bad); err == nil {
			t.Errorf("%s: bad data was taken", file)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	l, rows := lexiconOf(b), fixtures(b)
	for i := 0; b.Loop(); i++ {
		l.classify(&assignmentv1.ClassifyItem{Text: rows[i%len(rows)][0]})
	}
}
