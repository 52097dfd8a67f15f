package disclosure

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// passes is a gate that every kind passes on the first of May.
func passes() *disclosurev1.Gate {
	return &disclosurev1.Gate{
		NoticeTime:    timestamppb.New(at("2026-04-01 10:00")),
		DecidedTime:   timestamppb.New(at("2026-04-15 10:00")),
		DeliveredTime: timestamppb.New(at("2026-04-20 10:00")),
		WarnedTime:    timestamppb.New(at("2026-03-01 10:00")),
		PenaltyKind:   "fine", SocialImpact: true, AmountFen: 20_000_000,
		ContinuedTime:     timestamppb.New(at("2026-03-20 10:00")),
		FailedServiceTime: timestamppb.New(at("2026-04-18 10:00")),
	}
}

func TestMonths(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-05-01 10:00", 3, "2026-08-01 00:00"},
		{"2026-11-30 10:00", 3, "2027-02-28 00:00"},
		{"2028-02-29 23:00", 36, "2031-02-28 00:00"},
		{"2026-05-01 10:00", 0, "2026-05-01 00:00"},
	} {
		if got := months(at(c.from), c.n); !got.Equal(at(c.want)) {
			t.Errorf("%s: %v", c.from, got.In(calendar.Shanghai))
		}
	}
}
