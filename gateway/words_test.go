package gateway

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Parties and the public read Chinese: every refusal says so beside its message, a service's and the gateway's own.
func TestGateway_refusalsAreSaidInChinese(t *testing.T) {
	m := mesh(t, Config{})
	const fileReport = "/quietline.reporting.v1.ReportingService/FileReport"
	for what, c := range map[string]struct{ path, body, want string }{
		"a service's":      {fileReport, `{"requestId":"01a20000-0000-7000-8000-000000000001","displayedNumber":"95012345","reporterNumber":"13800138777","callTime":"2026-09-01T02:00:00Z","channel":"web","text":"refuse"}`, "该事项已经办结"},
		"a missing field":  {fileReport, `{}`, "填写的内容不符合要求"},
		"no such method":   {"/quietline.reporting.v1.ReportingService/Nothing", `{}`, ""},
		"nothing readable": {trackReport, `{"receipt":`, "填写的内容不符合要求"},
		"without a token":  {listTasks, `{}`, "须登录后以"},
	} {
		got := m.post(t, c.path, c.body)
		if got.status == http.StatusOK || !strings.Contains(got.body, c.want) || c.want != "" && !strings.Contains(got.body, `"locale":"zh-CN"`) {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	caller := assignmentv1.NewAssignmentServiceClient(m.dial(t, m.token(t, "PARTY", "91000000DEMF00359Y")))
	_, err := caller.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{})
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(errs.Chinese(err), "身份使用") {
		t.Errorf("a party: %v, %q", err, errs.Chinese(err))
	}
}
