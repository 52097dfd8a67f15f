package disclosure

import (
	"context"
	"errors"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

func (s *Server) FreezeCounts(context.Context, *disclosurev1.FreezeCountsRequest) (*disclosurev1.FreezeCountsResponse, error) {
	return nil, errors.ErrUnsupported
}
func (s *Server) ReleaseDigest(context.Context, *disclosurev1.ReleaseDigestRequest) (*disclosurev1.ReleaseDigestResponse, error) {
	return nil, errors.ErrUnsupported
}
func (s *Server) ListDigests(context.Context, *disclosurev1.ListDigestsRequest) (*disclosurev1.ListDigestsResponse, error) {
	return nil, errors.ErrUnsupported
}
func (s *Server) ListDigestCounts(context.Context, *disclosurev1.ListDigestCountsRequest) (*disclosurev1.ListDigestCountsResponse, error) {
	return nil, errors.ErrUnsupported
}
func (s *Server) LoadUserFigures(context.Context, *disclosurev1.LoadUserFiguresRequest) (*disclosurev1.LoadUserFiguresResponse, error) {
	return nil, errors.ErrUnsupported
}
