package access_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc"

	"quietline/internal/access"
	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func TestLoad_failsClosed(t *testing.T) {
	full := ledgerv1.LedgerService_ServiceDesc
	info := func(name string, methods ...string) map[string]grpc.ServiceInfo {
		s := grpc.ServiceInfo{}
		for _, m := range methods {
			s.Methods = append(s.Methods, grpc.MethodInfo{Name: m})
		}
		return map[string]grpc.ServiceInfo{name: s, "grpc.health.v1.Health": {Methods: []grpc.MethodInfo{{Name: "Check"}}}}
	}
	if _, err := access.Load(info(full.ServiceName, "WhoHeld")); err != nil {
		t.Errorf("a ruled RPC: %v", err)
	}
	for name, bad := range map[string]map[string]grpc.ServiceInfo{
		"unknown service": info("quietline.unknown.v1.UnknownService", "Do"),
		"unknown method":  info(full.ServiceName, "WhoHeld", "Undeclared"),
		"no rule":         info("buf.validate.conformance.None", "Do"),
	} {
		if p, err := access.Load(bad); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestAllow_unknownMethodIsRefused(t *testing.T) {
	p, err := access.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Allow("/quietline.ledger.v1.LedgerService/WhoHeld", accessv1.Caller_CALLER_WORKFLOWS, nil)
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED) {
		t.Errorf("got %v", err)
	}
}

func TestAllow(t *testing.T) {
	const gateway, workflows = accessv1.Caller_CALLER_GATEWAY, accessv1.Caller_CALLER_WORKFLOWS
	public := &accessv1.Rule{Callers: []accessv1.Caller{gateway}, Roles: []accessv1.Role{accessv1.Role_ROLE_PUBLIC}}
	heads := &accessv1.Rule{Callers: []accessv1.Caller{gateway, workflows}, Roles: []accessv1.Role{accessv1.Role_ROLE_HEAD, accessv1.Role_ROLE_LEAD}}
	none := &accessv1.Rule{Callers: []accessv1.Caller{gateway, workflows}}
	head := &commonv1.Actor{Roles: []accessv1.Role{accessv1.Role_ROLE_HEAD}}
	for name, c := range map[string]struct {
		rule   *accessv1.Rule
		caller accessv1.Caller
		actor  *commonv1.Actor
		want   commonv1.ErrorReason
	}{
		"no rule":                       {nil, gateway, head, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
		"no caller":                     {heads, 0, head, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
		"other caller":                  {public, workflows, head, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
		"everyone is public":            {public, gateway, head, 0},
		"nobody is public too":          {public, gateway, nil, 0},
		"head":                          {heads, gateway, head, 0},
		"public where heads are needed": {heads, gateway, nil, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		"workflows need no role":        {heads, workflows, nil, 0},
		"no roles, no person":           {none, gateway, head, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
	} {
		if err := access.Allow(c.rule, c.caller, c.actor); errs.Reason(err) != c.want || (err == nil) != (c.want == 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatrix_isSortedAndWhole(t *testing.T) {
	rows := access.Matrix()
	if len(rows) == 0 {
		t.Fatal("empty")
	}
	for i, r := range rows {
		if !strings.HasPrefix(r.Service, "quietline.") || r.Method == "" || len(r.Callers) == 0 {
			t.Errorf("row %v", r)
		}
		if i > 0 && rows[i-1].Service+" "+rows[i-1].Method >= r.Service+" "+r.Method {
			t.Errorf("%s/%s is out of order", r.Service, r.Method)
		}
	}
}
