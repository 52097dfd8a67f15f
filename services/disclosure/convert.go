package disclosure

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
)

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime().Truncate(time.Microsecond)
	return &v
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// doneBy is who acts, as it stands on record.
func doneBy(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}
