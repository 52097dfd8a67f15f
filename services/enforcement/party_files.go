package enforcement

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// What a party may hand in for one case.
const (
	mostFiles     = 200
	mostFileBytes = 200 << 20
)

// PutPartyFile takes a file: sealed, with its hash and the first line of its log.
func (s *Server) PutPartyFile(ctx context.Context, req *enforcementv1.PutPartyFileRequest) (*enforcementv1.PutPartyFileResponse, error) {
	if media, _, err := mime.ParseMediaType(req.GetMediaType()); err != nil || !strings.Contains(media, "/") {
		return nil, errs.Field("media_type", "must be a media type such as application/pdf")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.PutPartyFileResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		used, err := q.FilesOfCase(ctx, f.c.CaseID)
		if err != nil {
			return nil, err
		}
		if used.Files >= mostFiles || used.Size+int64(len(req.GetContent())) > mostFileBytes {
			return nil, errs.New(codes.ResourceExhausted, commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED,
				"a case takes %d files of together %d MiB (请向办案单位当面提交)", mostFiles, mostFileBytes>>20)
		}
		row, err := s.sealFile(f, req)
		if err != nil {
			return nil, err
		}
		if err := q.InsertPartyFile(ctx, row); err != nil {
			return nil, err
		}
		err = q.LogPartyFile(ctx, store.LogPartyFileParams{FileID: row.FileID, Deed: "put", DoneBy: f.by, DoneTime: s.now()})
		if err != nil {
			return nil, err
		}
		known, err := q.PartyFile(ctx, row.FileID)
		return &enforcementv1.PutPartyFileResponse{File: fileProto(known)}, err
	})
}

func (s *Server) sealFile(f filer, req *enforcementv1.PutPartyFileRequest) (store.InsertPartyFileParams, error) {
	row := store.InsertPartyFileParams{
		CaseID: f.c.CaseID, MediaType: req.GetMediaType(), SizeBytes: int32(len(req.GetContent())), //nolint:gosec // at most 4 MiB
		ReceivedTime: f.at, Channel: f.channel, ReceivedBy: f.by,
	}
	id, err := uuid.NewV7()
	if err != nil {
		return row, err
	}
	sum := sha256.Sum256(req.GetContent())
	row.FileID, row.Sha256 = id.String(), sum[:]
	if row.NameSealed, err = s.keys.Seal([]byte(req.GetName()), fileNamePlace(row.FileID)); err != nil {
		return row, err
	}
	row.ContentSealed, err = s.keys.Seal(req.GetContent(), filePlace(row.FileID))
	return row, err
}

func filePlace(id string) []byte     { return []byte("enforcement/file/" + id) }
func fileNamePlace(id string) []byte { return []byte("enforcement/file/" + id + "/name") }

// GetPartyFile returns a file to the party and to the agency of its case. The access is on record first.
func (s *Server) GetPartyFile(ctx context.Context, req *enforcementv1.GetPartyFileRequest) (*enforcementv1.GetPartyFileResponse, error) {
	q := store.New(s.db)
	row, err := q.PartyFile(ctx, req.GetFileId())
	if err != nil {
		return nil, errs.NotFound(err, "no such file")
	}
	if err := sees(ctx, q, row.CaseID); err != nil {
		return nil, asUnknown(err, "no such file")
	}
	if from, err := since(ctx, q, row.CaseID); err != nil || from != nil && row.ReceivedTime.Before(*from) {
		return nil, cmp.Or(err, errs.NotFound(pgx.ErrNoRows, "no such file"))
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.GetPartyFileResponse, error) {
		err := store.New(tx).LogPartyFile(ctx, store.LogPartyFileParams{
			FileID: row.FileID, Deed: "read", DoneBy: doneBy(ctx), Purpose: req.GetPurpose(), DoneTime: s.now(),
		})
		return &enforcementv1.GetPartyFileResponse{File: fileProto(row)}, err
	})
	if err != nil {
		return nil, err
	}
	name, err := s.keys.Unseal(row.NameSealed, fileNamePlace(row.FileID))
	if err != nil {
		return nil, fmt.Errorf("name of file %s: %w", row.FileID, err)
	}
	resp.File.Name = string(name)
	if resp.Content, err = s.keys.Unseal(row.ContentSealed, filePlace(row.FileID)); err != nil {
		return nil, fmt.Errorf("file %s: %w", row.FileID, err)
	}
	if sum := sha256.Sum256(resp.GetContent()); !bytes.Equal(sum[:], row.Sha256) {
		return nil, fmt.Errorf("file %s does not have its hash", row.FileID)
	}
	return resp, nil
}

// fileProto is a file without its name, which is sealed and never in a stored answer.
func fileProto(r store.PartyFile) *enforcementv1.PartyFile {
	return &enforcementv1.PartyFile{
		FileId: r.FileID, CaseId: r.CaseID, MediaType: r.MediaType, SizeBytes: r.SizeBytes, Sha256: hex.EncodeToString(r.Sha256),
		ReceivedTime: timestamppb.New(r.ReceivedTime), Channel: r.Channel,
	}
}
