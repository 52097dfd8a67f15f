package main

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSentence_noFrames(t *testing.T) {
	refused := status.Error(codes.PermissionDenied, "needs the role CENTRE")
	err := fmt.Errorf("after 0 rows: %w", fmt.Errorf("BatchFileReports: %w", refused))
	if got, want := sentence(err), "after 0 rows: BatchFileReports: needs the role CENTRE"; got != want {
		t.Errorf("sentence is %q, want %q", got, want)
	}
}
