package reporting

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob"

	"quietline/internal/identity"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
)

// Server implements reportingv1.ReportingServiceServer.
type Server struct {
	reportingv1.UnsafeReportingServiceServer // a missing RPC does not compile

	db         *pgxpool.Pool
	now        func() time.Time
	keys       *seal.Keys
	receipt    func(time.Time) string
	formats    map[string]*format.Format
	starter    *starter                             // asks casework after commits, never waited for
	assignment assignmentv1.AssignmentServiceClient // open check tasks, for RevealCalledNumber
	evidence   *blob.Bucket                         // sealed contents of evidence
	policies   policies
	months     markMonths // partitions of marks
}

// Deps is what a Server needs besides its database.
type Deps struct {
	Now        func() time.Time // nil: the clock
	Keys       *seal.Keys
	Starter    *starter // nil: nobody is asked, the sweep starts everything
	Assignment assignmentv1.AssignmentServiceClient
	Evidence   *blob.Bucket
	Formats    string // folder of further mapping files; empty for none
}

// New makes a Server on a migrated database.
func New(db *pgxpool.Pool, deps Deps) (*Server, error) {
	formats, err := format.Load(deps.Formats)
	if err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Server{
		db: db, now: deps.Now, keys: deps.Keys, receipt: newReceipt, formats: formats,
		starter: deps.Starter, assignment: deps.Assignment, evidence: deps.Evidence,
	}, nil
}

// clock is now as the database keeps it.
func (s *Server) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// who is the acting subject and agency, for the record.
func who(ctx context.Context) (subject, agency string) {
	a := identity.ActorOf(ctx)
	return a.GetSubject(), a.GetAgencyId()
}
