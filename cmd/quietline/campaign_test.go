package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// A sample that was written, filled in and saved by a spreadsheet is a return: what has no result says nothing, and an item
// with several findings is declared once.
func TestCampaignReturn_readsAFilledInSample(t *testing.T) {
	file := filepath.Join(t.TempDir(), "return.csv")
	rows := "\ufeffitem_id,holder,finding,result,text\na,甲,1,已整改,'=换了主叫\na,甲,2,合规,\nb,乙,,,\nc,丙,,conforming,\n"
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := campaignReturnCmd{File: file}.read()
	want := []*ledgerv1.Declaration{{ItemId: "a", Result: "rectified", Text: "=换了主叫"}, {ItemId: "c", Result: "conforming"}}
	if d := cmp.Diff(want, got, protocmp.Transform()); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if err := os.WriteFile(file, []byte("item,result\na,合规\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (campaignReturnCmd{File: file}).read(); err == nil {
		t.Error("a file without item_id is taken")
	}
}
