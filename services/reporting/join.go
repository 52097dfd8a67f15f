package reporting

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/services/reporting/store"
)

// round names a round whose workflow is to be asked for after the commit.
type round struct {
	complaintID string
	number      int32
	joined      bool // it runs, as a clue, and somebody has reported it now: its workflow is told so
}

// ordinary is what is to be asked for when reports join a clue that is being checked: it is an ordinary matter from now on.
func ordinary(j store.Joined) []round {
	if !j.Clue || j.State != stateOpen {
		return nil
	}
	return []round{{complaintID: j.ComplaintID.String(), number: j.Round, joined: true}}
}

// settle does what joining means, for a report just written to a complaint whose lock is shared. While RECEIVED nothing;
// while OPEN it is told what the round was told before; while watching, a call from before the handling gets the known
// result at once and a call from after it is a relapse, which may re-open.
func settle(ctx context.Context, tx pgx.Tx, j store.Joined, reports []string, rules relapsePolicy, at time.Time) (*round, error) {
	switch j.State {
	case stateOpen:
		return nil, tellJoined(ctx, tx, reports, at)
	case stateWatching:
		return settleWatched(ctx, tx, j.ComplaintID.String(), reports, rules, at)
	}
	return nil, nil
}

// tellJoined tells reports of any number of open complaints what their rounds have been told: one statement for all.
func tellJoined(ctx context.Context, tx pgx.Tx, reports []string, at time.Time) error {
	if len(reports) == 0 {
		return nil
	}
	err := store.New(tx).TellJoined(ctx, store.TellJoinedParams{
		ReportIds: reports, Stages: feedbackOfRound, Code: "joined", Sentence: sentence(feedbackAccepted, "joined", ""), At: at,
	})
	if err != nil {
		return fmt.Errorf("feedback of the round: %w", err)
	}
	return nil
}

func settleWatched(ctx context.Context, tx pgx.Tx, complaintID string, reports []string, rules relapsePolicy, at time.Time) (*round, error) {
	q := store.New(tx)
	c, err := q.LockAmongFilers(ctx, complaintID)
	if err != nil {
		return nil, fmt.Errorf("watched complaint: %w", err)
	}
	if c.State != stateWatching { // re-opened by another who filed while we waited
		if err := q.JoinRound(ctx, store.JoinRoundParams{ReportIds: reports, Round: c.Round}); err != nil {
			return nil, fmt.Errorf("join re-opened round: %w", err)
		}
		return nil, nil
	}
	handled := c.StateTime
	if c.HandledTime != nil {
		handled = *c.HandledTime
	}
	if _, err := q.JoinBeforeHandling(ctx, store.JoinBeforeHandlingParams{ReportIds: reports, HandledTime: handled}); err != nil {
		return nil, fmt.Errorf("join before the handling: %w", err)
	}
	relapses, err := q.JoinAsRelapse(ctx, store.JoinAsRelapseParams{ReportIds: reports, HandledTime: handled})
	if err != nil {
		return nil, fmt.Errorf("join as relapse: %w", err)
	}
	count := c.RelapseCount
	ids := make([]string, len(relapses))
	for i, r := range relapses {
		ids[i] = r.ReportID
		if r.Counts {
			count++
		}
	}
	var reopened *round
	if rules.relapsed(count, c.Reopened) {
		if reopened, err = reopen(ctx, tx, c, ids, rules, "relapse", at); err != nil {
			return nil, err
		}
	} else if err := q.SetRelapses(ctx, store.SetRelapsesParams{ComplaintID: complaintID, RelapseCount: count}); err != nil {
		return nil, fmt.Errorf("count relapses: %w", err)
	}
	return reopened, tellWatched(ctx, tx, c, reports, ids, reopened != nil, at)
}

// tellWatched gives the known result to all that stay in the finished round, so that none lacks its feedback.
func tellWatched(ctx context.Context, tx pgx.Tx, c store.Complaint, reports, relapses []string, reopened bool, at time.Time) error {
	if reopened {
		reports = without(reports, relapses)
	} else if len(relapses) > 0 {
		if err := tell(ctx, tx, relapses, feedbackWatching, "relapse", at); err != nil {
			return err
		}
	}
	return tell(ctx, tx, reports, feedbackResult, c.Result, at)
}

// tell gives reports one feedback of their round.
func tell(ctx context.Context, tx pgx.Tx, reports []string, stage, code string, at time.Time) error {
	if len(reports) == 0 {
		return nil
	}
	err := store.New(tx).TellReports(ctx, store.TellReportsParams{
		ReportIds: reports, Stage: stage, Code: code, Sentence: sentence(stage, code, ""), At: at,
	})
	if err != nil {
		return fmt.Errorf("feedback %s: %w", stage, err)
	}
	return nil
}

func without(all, some []string) []string {
	skip := make(map[string]bool, len(some))
	for _, id := range some {
		skip[id] = true
	}
	var rest []string
	for _, id := range all {
		if !skip[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// reopen begins the next round of a watched, locked complaint with the reports that say it has not stopped: those named
// and the relapses of this watch. It returns nil when the limit of re-openings is reached. Who calls it asks casework
// for the round after the commit.
func reopen(ctx context.Context, tx pgx.Tx, c store.Complaint, reports []string, rules relapsePolicy, why string, at time.Time) (*round, error) {
	allowed, toLead := rules.reopening(c.Reopened)
	if !allowed || c.State != stateWatching {
		return nil, nil
	}
	q := store.New(tx)
	if err := q.ReopenComplaint(ctx, store.ReopenComplaintParams{ComplaintID: c.ComplaintID, ToLead: toLead, At: at}); err != nil {
		return nil, fmt.Errorf("re-open: %w", err)
	}
	next := &round{complaintID: c.ComplaintID, number: c.Round + 1}
	if err := record(ctx, tx, c.ComplaintID, next.number, "state", c.State, stateReceived+" "+why, at); err != nil {
		return nil, err
	}
	moved, err := q.MoveReports(ctx, store.MoveReportsParams{
		ComplaintID: c.ComplaintID, NewRound: next.number, OldRound: c.Round, ReportIds: reports,
	})
	if err != nil {
		return nil, fmt.Errorf("re-open: %w", err)
	}
	return next, tell(ctx, tx, moved, feedbackReopened, why, at)
}

// record adds a line to the complaint's history: who changed what.
func record(ctx context.Context, tx pgx.Tx, complaintID string, number int32, what, before, after string, at time.Time) error {
	subject, agency := who(ctx)
	err := store.New(tx).AddHistory(ctx, store.AddHistoryParams{
		ComplaintID: complaintID, Round: number, Actor: subject, AgencyID: agency, What: what, Old: before, New: after, CreatedAt: at,
	})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// strings of identifiers, for queries that take them as text
func texts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
