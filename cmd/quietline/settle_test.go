package main

import (
	"testing"
	"time"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Every owner of clocks settles a year whose notice is loaded, and refuses one whose is not.
func TestMesh_settle(t *testing.T) {
	m := theMesh(t)
	loaded := 2026
	missing := loaded
	for calendar.Noticed(missing, time.Now()) {
		missing++
	}
	for _, owner := range owners(m.as(t, "LEAD@miit"), int32(loaded)) {
		if _, _, err := settleAll(t.Context(), owner.settle); err != nil {
			t.Errorf("%s of %d: %v", owner.name, loaded, err)
		}
	}
	for _, owner := range owners(m.as(t, "LEAD@miit"), int32(missing)) {
		if _, _, err := settleAll(t.Context(), owner.settle); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) {
			t.Errorf("%s of %d: %v", owner.name, missing, err)
		}
	}
	for _, owner := range owners(m.as(t, "HEAD@ca-44"), int32(loaded)) {
		if _, _, err := settleAll(t.Context(), owner.settle); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED) {
			t.Errorf("a head settles %s: %v", owner.name, err)
		}
	}
}
