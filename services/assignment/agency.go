package assignment

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// GetAgency returns an agency as of a time.
func (s *Server) GetAgency(ctx context.Context, req *assignmentv1.GetAgencyRequest) (*assignmentv1.GetAgencyResponse, error) {
	v, err := s.directory(ctx, s.at(req.GetAt()))
	if err != nil {
		return nil, err
	}
	a, ok := v.get(req.GetAgencyId())
	if !ok {
		return nil, unknownAgency(req.GetAgencyId())
	}
	return &assignmentv1.GetAgencyResponse{Agency: a.proto()}, nil
}

// ListAgencies lists the directory as of a time.
func (s *Server) ListAgencies(ctx context.Context, req *assignmentv1.ListAgenciesRequest) (*assignmentv1.ListAgenciesResponse, error) {
	after, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	v, err := s.directory(ctx, s.at(req.GetAt()))
	if err != nil {
		return nil, err
	}
	n := int(pg.PageSize(req.GetPageSize()))
	last := ""
	if after != nil {
		last = after[0]
	}
	province := req.GetProvince()
	found := v.list(last, req.GetKind(), province[:min(len(province), 2)], n+1)
	resp := &assignmentv1.ListAgenciesResponse{}
	if len(found) > n {
		found = found[:n]
		resp.NextPageToken = pg.EncodeToken(found[n-1].id)
	}
	for _, a := range found {
		resp.Agencies = append(resp.Agencies, a.proto())
	}
	return resp, nil
}

// Designate says after a bounce who acts next.
func (s *Server) Designate(ctx context.Context, req *assignmentv1.DesignateRequest) (*assignmentv1.DesignateResponse, error) {
	v, err := s.directory(ctx, s.now())
	if err != nil {
		return nil, err
	}
	for _, id := range []string{req.GetBouncedBy(), req.GetShouldAct()} {
		if _, ok := v.get(id); !ok {
			return nil, unknownAgency(id)
		}
	}
	d := v.designate(req.GetBouncedBy(), req.GetShouldAct(), req.GetPartyAgencyId(), req.GetBounces())
	return &assignmentv1.DesignateResponse{How: d.how, DeciderId: d.decider, NextAgencyId: d.next}, nil
}

// at is a time of a request, now when it names none.
func (s *Server) at(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return s.now()
	}
	return t.AsTime()
}

func unknownAgency(id string) error {
	return errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no agency %q at that time", id)
}
