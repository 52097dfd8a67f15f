package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"google.golang.org/grpc"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// marksTaken answers ImportMarks as the mesh does to rows without a day.
type marksTaken struct {
	reportingv1.ReportingServiceClient
	requests []*reportingv1.ImportMarksRequest
}

func (m *marksTaken) ImportMarks(_ context.Context, req *reportingv1.ImportMarksRequest, _ ...grpc.CallOption) (*reportingv1.ImportMarksResponse, error) {
	m.requests = append(m.requests, req)
	resp := &reportingv1.ImportMarksResponse{}
	for i, r := range req.GetRows() {
		if r.GetDay() == "" {
			resp.Rejected = append(resp.Rejected, &reportingv1.RejectedMark{Index: int32(i), Field: "day", Reason: "must be a day"})
			continue
		}
		resp.Stored++
	}
	return resp, nil
}

const marksFile = "标记类型,号码,多余,次数,日期\r\n" +
	"骚扰电话,+86 13800000001,x,7,2026-11-20\r\n" +
	"\"房产,中介\",010-88886666,,3,2026-11-20\r\n" +
	"骚扰电话,13800000002,,many,2026-11-20\r\n" +
	"骚扰电话,13800000003,,1\r\n" +
	"骚扰电话,'+8695588,,5,\r\n"

func TestSendMarks(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(marksFile)
	if err != nil {
		t.Fatal(err)
	}
	for encoding, file := range map[string]string{"UTF-8": marksFile, "UTF-8 with its mark": "\ufeff" + marksFile, "GB18030": gb} {
		t.Run(encoding, func(t *testing.T) {
			service, path := &marksTaken{}, filepath.Join(t.TempDir(), "rejected.csv")
			out, err := newRejects(path)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
			counts, err := sendMarks(t.Context(), service, marksImportCmd{Batch: 2, AsOf: began}, strings.NewReader(file), out.write)
			if err != nil {
				t.Fatal(err)
			}
			if err := out.close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(marksTally{Rows: 5, Stored: 2, Rejected: 3}, counts); diff != "" {
				t.Error(diff)
			}
			first := service.requests[0].GetRows()
			if r := first[0]; r.GetNumber() != "+86 13800000001" || r.GetLabel() != "骚扰电话" || r.GetCount() != 7 || first[1].GetLabel() != "房产,中介" {
				t.Errorf("sent: %v", first)
			}
			if r := service.requests[1]; r.GetRows()[0].GetNumber() != "+8695588" || !r.GetAsOf().AsTime().After(began) {
				t.Errorf("sent last: %v", r)
			}
			rejected, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := "number,day,label,count,line,field,reason\n" +
				"13800000002,2026-11-20,骚扰电话,many,4,count,must be a whole number (次数须为整数)\n" +
				"13800000003,,骚扰电话,1,5,row,has fewer columns than the header (列数不足)\n" +
				"'+8695588,,骚扰电话,5,6,day,must be a day\n"
			if diff := cmp.Diff(want, string(rejected)); diff != "" {
				t.Error(diff)
			}
			mended := strings.ReplaceAll(strings.ReplaceAll(string(rejected), "many", "2"), ",,", ",2026-11-20,")
			counts, err = sendMarks(t.Context(), service, marksImportCmd{Batch: 100, AsOf: began}, strings.NewReader(mended), out.write)
			if err != nil || counts.Stored != 3 || counts.Rejected != 0 {
				t.Errorf("mended and sent: %+v, %v", counts, err)
			}
		})
	}
	for name, file := range map[string]string{"nothing": "", "no header": "13800000001,2026-11-20,骚扰电话,1\n"} {
		if _, err := sendMarks(t.Context(), &marksTaken{}, marksImportCmd{Batch: 1}, strings.NewReader(file), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A file states what its source had counted when it was written: the former file sent once more changes nothing.
func TestOpenMarks_asOf(t *testing.T) {
	path, written := filepath.Join(t.TempDir(), "marks.csv"), time.Date(2026, 11, 19, 3, 0, 0, 0, time.UTC)
	if err := os.WriteFile(path, []byte(marksFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, written, written); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		file, asOf, err := openMarks(path)
		if err != nil || !asOf.Equal(written) {
			t.Fatalf("as of %v, %v, want when it was written", asOf, err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now()
	file, asOf, err := openMarks("-")
	if err != nil || asOf.Before(before) {
		t.Errorf("standard input: as of %v, %v", asOf, err)
	}
	_ = file.Close()
}
