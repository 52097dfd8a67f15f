package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	"quietline/gateway/issuer"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// TestMesh_partyReadsWhatWasServed drives a few complaints until a firm's decision is delivered, and looks at it as the firm.
func TestMesh_partyReadsWhatWasServed(t *testing.T) {
	m := ownMesh(t, "rehearsal")
	const complaints = 12
	m.fileMany(t, complaints)
	d := newDriver(driveCmd{remote: m.remote, Seed: 4, Quiet: true, Until: "closed"})
	defer d.close()
	var decided *caseView
	await(t, "a decision that was delivered to a firm", 4*time.Minute, func() (bool, error) {
		if _, err := d.round(t.Context()); err != nil && !passing(err) {
			return false, err
		}
		for _, v := range d.cases.byCase {
			if v.GetCase().GetParty().GetCreditCode() != "" && v.events("deliver", "delivered") > 0 && v.events("serve_notice", "served") > 0 {
				decided = v
			}
		}
		return decided != nil, nil
	})
	m.checkServed(t, decided.GetCase().GetParty().GetCreditCode(), decided.id(), "1390000")
}

// checkServed looks at a decided case as its party does, with a token of its own, through the gateway: what was served, as
// served and with its hash, and nothing of who reported; another firm sees nothing of it.
func (m *testMesh) checkServed(t *testing.T, creditCode, caseID, reporter string) {
	t.Helper()
	party := enforcementv1.NewEnforcementServiceClient(m.as(t, "PARTY@"+creditCode))
	listed, err := party.ListServed(t.Context(), &enforcementv1.ListServedRequest{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]*enforcementv1.ServedDocument{}
	for _, d := range listed.GetDocuments() {
		if d.GetCaseId() == caseID {
			kinds[d.GetKind()] = d
		}
		got, err := party.GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: d.GetDocumentId()})
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(got.GetHtml()); hex.EncodeToString(sum[:]) != d.GetSha256() {
			t.Errorf("%s does not have its hash", d.GetDocumentNo())
		}
		for _, canary := range []string{reporter, reporter[:3] + " " + reporter[3:]} {
			if strings.Contains(string(got.GetHtml()), canary) || strings.Contains(protojson.Format(d), canary) {
				t.Errorf("%s names a reporter", d.GetDocumentNo())
			}
		}
	}
	if kinds["notice"] == nil || kinds["decision"] == nil {
		t.Fatalf("served: %v", listed.GetDocuments())
	}
	m.checkParty(t, creditCode, kinds["decision"])
	m.checkStranger(t, caseID, kinds["decision"])
}

// checkParty signs for the decision over plain JSON, and fetches it with the tool.
func (m *testMesh) checkParty(t *testing.T, creditCode string, decision *enforcementv1.ServedDocument) {
	t.Helper()
	source, err := issuer.Source(m.data, m.URL, "PARTY", creditCode, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const service = "quietline.enforcement.v1.EnforcementService/"
	status, _, raw := m.post(t, service+"AcknowledgeDelivery", token,
		`{"requestId":"`+uuid.NewString()+`","documentId":"`+decision.GetDocumentId()+`","signer":"王五"}`)
	if status != http.StatusOK || !strings.Contains(raw, `"receipt"`) {
		t.Errorf("the receipt over JSON: %d %s", status, raw)
	}
	status, answer, raw := m.post(t, service+"GetServedDocument", token, `{"documentId":"`+decision.GetDocumentId()+`"}`)
	html, _ := answer["html"].(string)
	if read, err := base64.StdEncoding.DecodeString(html); status != http.StatusOK || err != nil || !strings.Contains(string(read), decision.GetDocumentNo()) {
		t.Errorf("the decision over JSON: %d %.200s", status, raw)
	}
	if status, _, raw = m.post(t, service+"GetCase", token, `{"caseId":"`+decision.GetCaseId()+`"}`); status != http.StatusForbidden {
		t.Errorf("a party reads a file: %d %s", status, raw)
	}
	if body := m.postWeb(t, service+"ListServed", token); !strings.Contains(body, "grpc-status: 0") || !strings.Contains(body, decision.GetDocumentNo()) {
		t.Errorf("the list over gRPC-Web: %q", body)
	}
	out := filepath.Join(t.TempDir(), "decision.html")
	if err := (documentCmd{remote: m.remote, As: "PARTY@" + creditCode, Out: out, ID: decision.GetDocumentId()}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page, err := os.ReadFile(out); err != nil || !strings.Contains(string(page), "行政处罚决定书") {
		t.Errorf("the tool's file: %v", err)
	}
}

// postWeb calls an RPC with an empty message as a browser does, by gRPC-Web: one frame there, frames and trailers back.
func (m *testMesh) postWeb(t *testing.T, method, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL+"/"+method, bytes.NewReader(make([]byte, 5)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc-web+proto")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// checkStranger asks for all of it as another firm: the answer is that of what does not exist.
func (m *testMesh) checkStranger(t *testing.T, caseID string, d *enforcementv1.ServedDocument) {
	t.Helper()
	stranger := enforcementv1.NewEnforcementServiceClient(m.as(t, "PARTY@91000000000000000X"))
	if r, err := stranger.ListServed(t.Context(), &enforcementv1.ListServedRequest{}); err != nil || len(r.GetDocuments()) != 0 {
		t.Errorf("another firm sees %v, %v", r, err)
	}
	asked := func(document, matter string) string {
		_, one := stranger.GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: document})
		_, two := stranger.SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: uuid.NewString(), CaseId: matter, Text: "?"})
		for _, err := range []error{one, two} {
			if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
				t.Errorf("another firm: %v", err)
			}
		}
		return errs.Text(one) + errs.Text(two)
	}
	if theirs, nobodys := asked(d.GetDocumentId(), caseID), asked(uuid.NewString(), uuid.NewString()); theirs != nobodys {
		t.Errorf("told apart: %q and %q", theirs, nobodys)
	}
}
