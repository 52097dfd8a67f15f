package disclosure

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// States of a publication.
const (
	live      = "LIVE"
	takenDown = "TAKEN_DOWN"
	withdrawn = "WITHDRAWN"
)

// minorClass are the minor dishonest acts, which are in principle not published (轻微失信, 信用修复管理办法).
const minorClass = "minor"

// ahead is how far another workload's clock may be ahead of ours.
const ahead = 5 * time.Minute

// facts are what a gate looks at: what was asked, and what policy and record say about it.
type facts struct {
	item       *disclosurev1.Publication
	gate       *disclosurev1.Gate
	now        time.Time
	person     bool
	personRule bool      // a rule lets persons be published
	entitled   bool      // the agency publishes this kind about such a party
	barred     bool      // its decision was reversed, or repaired
	minor      bool      // of the minor class, which no exception lets be published
	takeDown   time.Time // zero where no basis says when
	by         string    // who releases it
	proposalID string    // what three people decided on; empty where a decision was signed before
	taskID     string    // the step that serves by public notice
}

// lacks says of each condition, by its code, whether an item lacks it. Which conditions a kind has is data.
var lacks = map[string]func(f *facts) bool{
	"in_future": func(f *facts) bool {
		g := f.gate
		return slices.ContainsFunc([]*timestamppb.Timestamp{
			g.GetNoticeTime(), g.GetDecidedTime(), g.GetDeliveredTime(), g.GetWarnedTime(), g.GetContinuedTime(), g.GetFailedServiceTime(),
		}, func(t *timestamppb.Timestamp) bool { return t != nil && t.AsTime().After(f.now.Add(ahead)) })
	},
	"no_decision": func(f *facts) bool { return f.gate.GetDecidedTime() == nil },
	"no_penalty": func(f *facts) bool {
		return !slices.Contains([]string{"warning", "criticism", "fine", "confiscation", "closure", "revocation"}, f.gate.GetPenaltyKind())
	},
	"natural_person":      func(f *facts) bool { return f.person && !f.personRule },
	"warning_only":        func(f *facts) bool { return f.gate.GetPenaltyKind() == "warning" },
	"no_social_impact":    func(f *facts) bool { return !f.gate.GetSocialImpact() },
	"minor_not_published": func(f *facts) bool { return f.minor },
	"no_notice": func(f *facts) bool {
		if f.item.GetKind() == recall { // announced before it is carried out, not in the same moment
			return !before(f.gate.GetNoticeTime(), f.gate.GetDecidedTime())
		}
		return f.gate.GetNoticeTime() == nil || before(f.gate.GetDecidedTime(), f.gate.GetNoticeTime())
	},
	"party_not_informed": func(f *facts) bool {
		return f.item.GetPartyName() != "" && !before(f.gate.GetNoticeTime(), timestamppb.New(f.now))
	},
	"not_delivered": func(f *facts) bool {
		return f.gate.GetDeliveredTime() == nil || before(f.gate.GetDeliveredTime(), f.gate.GetDecidedTime())
	},
	"no_amount":      func(f *facts) bool { return f.gate.GetPenaltyKind() == "fine" && f.gate.GetAmountFen() == 0 },
	"no_credit_code": func(f *facts) bool { return f.item.GetCreditCode() == "" },
	"no_licence":     func(f *facts) bool { return f.item.GetLicenceNo() == "" },
	"no_ground":      func(f *facts) bool { return f.item.GetGround() == "" },
	"no_warning":     func(f *facts) bool { return !before(f.gate.GetWarnedTime(), timestamppb.New(f.now)) },
	"no_continuation": func(f *facts) bool { // an exposure without any warning lacks the warning
		return f.gate.GetContinuedTime() == nil ||
			f.gate.GetWarnedTime() != nil && !before(f.gate.GetWarnedTime(), f.gate.GetContinuedTime())
	},
	"no_failed_service": func(f *facts) bool {
		return !before(f.gate.GetFailedServiceTime(), timestamppb.New(f.now))
	},
	"no_document_no": func(f *facts) bool { return f.item.GetDecisionNo() == "" },
	"agency_not_named": func(f *facts) bool {
		return f.item.GetAgencyName() == "" || !strings.Contains(f.item.GetTitle(), f.item.GetAgencyName())
	},
	"publisher_not_entitled": func(f *facts) bool { return !f.entitled },
	"term_over":              func(f *facts) bool { return !f.takeDown.IsZero() && !f.takeDown.After(f.now) },
	"withdrawn_before":       func(f *facts) bool { return f.barred },
}

// before says whether both times are known and the first is the earlier one.
func before(a, b *timestamppb.Timestamp) bool {
	return a != nil && b != nil && a.AsTime().Before(b.AsTime())
}

// missing is all that an item lacks of its kind's conditions. fatal: nothing of the kind can be without one of them, so that
// asking is a mistake. A condition that the code does not know is never met.
func missing(conditions []store.GateConditionsRow, f *facts) (out []*disclosurev1.MissingCondition, fatal bool) {
	for _, c := range conditions {
		if check, known := lacks[c.Code]; known && !check(f) {
			continue
		}
		out = append(out, &disclosurev1.MissingCondition{Code: c.Code, Words: c.Words, Article: c.Article})
		fatal = fatal || c.Fatal
	}
	return out, fatal
}

// lacking is what an item does not pass its gate for.
type lacking struct {
	missing []*disclosurev1.MissingCondition
	fatal   bool
}

// Error names all that is missing, with the articles.
func (l *lacking) Error() string {
	words := make([]string, 0, len(l.missing))
	for _, m := range l.missing {
		words = append(words, m.GetCode()+": "+m.GetWords()+" ("+m.GetArticle()+")")
	}
	return "the gate is not passed: " + strings.Join(words, "; ")
}

func notPassed(text string) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED, "%s", text)
}

// stateAt is the state of a publication at a time.
func stateAt(at, takeDownTime time.Time, withdrawnTime *time.Time) string {
	switch {
	case withdrawnTime != nil:
		return withdrawn
	case !takeDownTime.After(at):
		return takenDown
	}
	return live
}
