package workflows

import (
	"context"
	"fmt"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"quietline/internal/seal"
)

// RecordHistory writes the history of a workflow to a file, unsealed, so that replaying it needs no key. Only histories of
// invented matters may be recorded.
func RecordHistory(ctx context.Context, c client.Client, keys *seal.Keys, workflowID, file string) error {
	history := &historypb.History{}
	for events := c.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			return fmt.Errorf("history of %s: %w", workflowID, err)
		}
		history.Events = append(history.Events, e)
	}
	if err := unseal(ctx, history, codec{keys}); err != nil {
		return fmt.Errorf("history of %s: %w", workflowID, err)
	}
	raw, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	if err != nil {
		return fmt.Errorf("history of %s: %w", workflowID, err)
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}

// unseal decodes all payloads of a message in place, and the texts of failures, which the failure converter keeps in one.
func unseal(ctx context.Context, m proto.Message, c codec) error {
	err := proxy.VisitPayloads(ctx, m, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return c.Decode(payloads)
		},
	})
	if err != nil {
		return err
	}
	return nil
}
