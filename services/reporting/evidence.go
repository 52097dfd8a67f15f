package reporting

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gocloud.dev/blob"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// Deeds of the custody log.
const (
	deedPut  = "put"
	deedRead = "read"
)

func evidencePlace(id string) []byte { return []byte("evidence/" + id) }

// PutEvidence stores a file, sealed, with its hash. The file is written before its row, under an ID that follows from the
// actor, the request and the content: a repeat writes the same file, and what a failure leaves behind is never referred to.
func (s *Server) PutEvidence(ctx context.Context, req *reportingv1.PutEvidenceRequest) (*reportingv1.PutEvidenceResponse, error) {
	if err := s.mayPut(ctx, req); err != nil {
		return nil, err
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	subject, agency := who(ctx)
	sum := sha256.Sum256(req.GetContent())
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s\x00%s\x00%x", subject, req.GetRequestId(), sum)).String()
	if agency == "" {
		if err := s.useQuota(ctx, policy, id, subject, len(req.GetContent()), at); err != nil {
			return nil, err
		}
	}
	key := id[:2] + "/" + id
	if err := s.writeBlob(ctx, key, id, req.GetContent()); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.PutEvidenceResponse, error) {
		e := store.AddEvidenceParams{
			EvidenceID: id, Kind: req.GetKind(), MediaType: req.GetMediaType(), SizeBytes: int64(len(req.GetContent())), Sha256: sum[:],
			BlobKey: key, HoldUntil: at.Add(policy.days("evidence_hold_days")), AgencyID: agency, PutBy: subject, CreatedAt: at,
		}
		if req.GetComplaintId() != "" {
			complaint := req.GetComplaintId()
			e.ComplaintID = &complaint
		}
		if err := store.New(tx).AddEvidence(ctx, e); err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
		if err := custody(ctx, tx, id, deedPut, "", req.GetRequestId(), at); err != nil {
			return nil, err
		}
		return &reportingv1.PutEvidenceResponse{Evidence: evidenceProto(store.Evidence(e))}, nil
	})
}

// useQuota counts a file toward what somebody without an agency may put in a day, before it is written: what is refused
// later has taken its place all the same. The anonymous share one quota, or one of them could fill the disk.
func (s *Server) useQuota(ctx context.Context, policy figures, id, subject string, size int, at time.Time) error {
	q := store.New(s.db)
	known, err := q.HasEvidence(ctx, id)
	if err != nil {
		return fmt.Errorf("evidence quota: %w", err)
	}
	if known { // a repeat
		return nil
	}
	used, err := q.UseEvidenceQuota(ctx, store.UseEvidenceQuotaParams{
		Day: dayStart(at), PutBy: subject, Size: int64(size),
		MostFiles: policy["public_evidence_files"], MostBytes: policy["public_evidence_bytes"],
	})
	if err != nil {
		return fmt.Errorf("evidence quota: %w", err)
	}
	if used == 0 {
		return errs.New(codes.ResourceExhausted, commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED,
			"no more evidence is taken in today: file the report, and add the evidence tomorrow (今日提交证据已达上限，请先提交举报，次日补充材料)")
	}
	return nil
}

// mayPut checks what the request says beyond its shape: agencies put evidence to complaints they take part in, all others
// put it first and name it in a report, supplement or answer.
func (s *Server) mayPut(ctx context.Context, req *reportingv1.PutEvidenceRequest) error {
	if media, _, err := mime.ParseMediaType(req.GetMediaType()); err != nil || !strings.Contains(media, "/") {
		return errs.Field("media_type", "must be a media type such as audio/mpeg")
	}
	if req.GetComplaintId() == "" {
		return nil
	}
	if uuid.Validate(req.GetComplaintId()) != nil {
		return errs.Field("complaint_id", "must be a UUID")
	}
	_, agency := who(ctx)
	if isCentre(identity.ActorOf(ctx)) {
		_, err := store.New(s.db).ComplaintFacts(ctx, req.GetComplaintId())
		return errs.NotFound(err, "there is no such complaint")
	}
	takesPart, err := store.New(s.db).TakesPart(ctx, store.TakesPartParams{ComplaintID: req.GetComplaintId(), AgencyID: agency})
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if agency == "" || !takesPart {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the complaint is not with your agency")
	}
	return nil
}

// GetEvidence returns a file to who put it and to the agencies of its complaint; what a reporter handed in, to those only
// who judge it. The access is on record first; the
// content never is.
func (s *Server) GetEvidence(ctx context.Context, req *reportingv1.GetEvidenceRequest) (*reportingv1.GetEvidenceResponse, error) {
	_, agency := who(ctx)
	at := s.clock()
	var row store.Evidence
	find := func(db store.DBTX) (err error) {
		row, err = store.New(db).EvidenceFor(ctx, store.EvidenceForParams{
			EvidenceID: req.GetEvidenceId(), AgencyID: agency, Centre: isCentre(identity.ActorOf(ctx)),
		})
		return errs.NotFound(err, "there is no such evidence for your agency")
	}
	if err := find(s.db); err != nil { // rights are those of now, also for a repeat
		return nil, err
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.GetEvidenceResponse, error) {
		if err := custody(ctx, tx, row.EvidenceID, deedRead, req.GetPurpose(), req.GetRequestId(), at); err != nil {
			return nil, err
		}
		return &reportingv1.GetEvidenceResponse{Evidence: evidenceProto(row)}, nil
	})
	if err != nil {
		return nil, err
	}
	if resp.Content, err = s.readBlob(ctx, row); err != nil {
		return nil, err
	}
	return resp, nil
}

// custody adds to the custody log: who did what with the file, and why.
func custody(ctx context.Context, tx pgx.Tx, id, deed, purpose, requestID string, at time.Time) error {
	subject, agency := who(ctx)
	err := store.New(tx).LogEvidence(ctx, store.LogEvidenceParams{
		EvidenceIds: []string{id}, Deed: deed, Actor: subject, AgencyID: agency, Purpose: purpose, RequestID: requestID, At: at,
	})
	if err != nil {
		return fmt.Errorf("custody log: %w", err)
	}
	return nil
}

func (s *Server) writeBlob(ctx context.Context, key, id string, content []byte) error {
	if s.evidence == nil {
		return noStore()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a writer whose context ends before Close leaves nothing behind
	w, err := s.evidence.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return fmt.Errorf("evidence store: %w", err)
	}
	out, err := s.keys.SealStream(w, evidencePlace(id))
	if err == nil {
		_, err = out.Write(content)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		cancel()
		return fmt.Errorf("evidence store: %w", errors.Join(err, w.Close()))
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("evidence store: %w", err)
	}
	return nil
}

// readBlob reads a file back and holds it against its hash.
func (s *Server) readBlob(ctx context.Context, row store.Evidence) ([]byte, error) {
	if s.evidence == nil {
		return nil, noStore()
	}
	sealed, err := s.evidence.ReadAll(ctx, row.BlobKey)
	if err != nil {
		return nil, fmt.Errorf("evidence store: %w", err)
	}
	in, err := s.keys.UnsealStream(bytes.NewReader(sealed), evidencePlace(row.EvidenceID))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("evidence %s: %w", row.EvidenceID, err)
	}
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], row.Sha256) {
		return nil, fmt.Errorf("evidence %s: the content does not have its hash", row.EvidenceID)
	}
	return content, nil
}

func noStore() error {
	return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "no evidence store is configured")
}

func evidenceProto(e store.Evidence) *reportingv1.Evidence {
	return &reportingv1.Evidence{
		EvidenceId: e.EvidenceID, Sha256: hex.EncodeToString(e.Sha256), MediaType: e.MediaType, SizeBytes: e.SizeBytes, Kind: e.Kind,
		HoldUntil: timestamppb.New(e.HoldUntil), AgencyId: e.AgencyID, PutTime: timestamppb.New(e.CreatedAt),
	}
}
