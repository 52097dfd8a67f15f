package enforcement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Channels by which the party's writings come in.
const (
	channelElectronic = "electronic"
	channelPaper      = "paper"
)

// noCase is the answer for a case that does not exist and for one that is another's: who asks learns nothing.
const noCase = "no such case"

// mostFilings bounds what a party may write in one case.
const mostFilings = 500

// filer is who writes in a case: the party itself, now, or the caseworker for it, who says when it came.
type filer struct {
	c       store.EnforcementCase
	channel string
	by      string // subject@agency of the caseworker, or the party's subject
	at      time.Time
	party   bool // the party itself
}

func isParty(ctx context.Context) bool {
	return identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_PARTY)
}

// doneBy is who acts, as the tables keep it.
func doneBy(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}

// micro is a time as PostgreSQL keeps it.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// filer finds the case for whoever writes in it, and holds it until the end of the transaction. A party that nothing was
// served on knows of no case.
func (s *Server) filer(ctx context.Context, q *store.Queries, caseID string, paper *enforcementv1.PaperFiling) (filer, error) {
	f := filer{channel: channelElectronic, by: doneBy(ctx), at: s.now()}
	if isParty(ctx) {
		if paper != nil {
			return f, errs.Field("paper", "is for the caseworker, who enters what came on paper")
		}
		row, err := q.CaseOfParty(ctx, store.CaseOfPartyParams{CaseID: caseID, Party: identity.ActorOf(ctx).GetParty()})
		if err != nil {
			return f, errs.NotFound(err, noCase)
		}
		f.c, f.party = row.EnforcementCase, true
		return f, s.bounded(ctx, q, caseID)
	}
	c, err := q.CaseOfAgency(ctx, store.CaseOfAgencyParams{CaseID: caseID, AgencyID: identity.ActorOf(ctx).GetAgencyId()})
	if err != nil {
		return f, errs.NotFound(err, noCase)
	}
	if paper.GetReceivedTime() == nil {
		return f, errs.Field("paper.received_time", "must say when it came: a caseworker enters for the party what came on paper")
	}
	f.c, f.channel, f.at = c, channelPaper, micro(paper.GetReceivedTime().AsTime())
	if f.at.After(s.now()) || f.at.Before(c.OpenTime) {
		return f, errs.Field("paper.received_time", "must be between the opening of the case and now")
	}
	return f, nil
}

func (s *Server) bounded(ctx context.Context, q *store.Queries, caseID string) error {
	n, err := q.CountFilings(ctx, caseID)
	if err == nil && n >= mostFilings {
		err = errs.New(codes.ResourceExhausted, commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED,
			"no more than %d writings are taken in for one case (请向办案单位当面提交)", mostFilings)
	}
	return err
}

// asUnknown makes the answer for what is not the caller's that for what does not exist.
func asUnknown(err error, text string) error {
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		return errs.NotFound(pgx.ErrNoRows, "%s", text)
	}
	return err
}

// filingPlace is the place that a party's text is bound to.
func filingPlace(id string) []byte { return []byte("enforcement/filing/" + id) }

// newFiling is an identifier with the sealed text that it binds.
func (s *Server) newFiling(text string) (string, []byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	sealed, err := s.keys.Seal([]byte(text), filingPlace(id.String()))
	return id.String(), sealed, err
}

// attach binds files to what the party wrote; they must be of the same case.
func attach(ctx context.Context, q *store.Queries, f filer, filing string, files []string) error {
	for i, file := range files {
		n, err := q.AttachFile(ctx, store.AttachFileParams{FilingID: filing, FileID: file, CaseID: f.c.CaseID})
		if err != nil {
			return err
		}
		if n == 0 && !slices.Contains(files[:i], file) {
			return errs.Field(fmt.Sprintf("file_ids[%d]", i), "must be a file of this case")
		}
	}
	return nil
}

// filed is what was written, for an answer that is stored: without its text.
func (s *Server) filed(ctx context.Context, q *store.Queries, caseID, kind, id string) (*enforcementv1.PartyFiling, error) {
	row, err := q.Filing(ctx, store.FilingParams{CaseID: caseID, Kind: kind, FilingID: id})
	if err != nil {
		return nil, fmt.Errorf("%s after the write: %w", kind, err)
	}
	out := filingProto(store.FilingsOfRow(row))
	if isParty(ctx) {
		out.ReceivedBy = ""
	}
	return out, nil
}

func filingProto(r store.FilingsOfRow) *enforcementv1.PartyFiling {
	out := &enforcementv1.PartyFiling{
		FilingId: r.FilingID, CaseId: r.CaseID, Kind: r.Kind, ReceivedTime: timestamppb.New(r.ReceivedTime), DueTime: timeProto(r.Due),
		Late: r.Late, Channel: r.Channel, EndTime: timeProto(r.EndedTime), Note: r.Note, FileIds: r.FileIds,
	}
	if r.Channel == channelPaper {
		out.ReceivedBy = r.ReceivedBy
	}
	if r.DocumentID != nil {
		out.DocumentId = *r.DocumentID
	}
	if r.AmountFen > 0 {
		out.Amount = &commonv1.Money{Fen: r.AmountFen}
	}
	return out
}

// follow has the workflow of the case look, after the commit.
func (s *Server) follow(f *enforcementv1.PartyFiling, err error) error {
	if err == nil {
		s.nudgeCase(f.GetCaseId())
	}
	return err
}
