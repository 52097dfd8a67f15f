package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Namespace is where the mesh's workflows live.
const Namespace = "quietline"

// retention is how long the history of a finished workflow is kept: long enough
// to look into a failure, short because visibility is dear and our tables are the
// record.
const retention = 48 * time.Hour

// serveNamespace returns nil once the server serves the namespace, which it makes
// if it is missing. A task queue's description comes from matching and a
// workflow's from history: both answering means that the whole server is up.
func serveNamespace(ctx context.Context, c client.Client) error {
	api := c.WorkflowService()
	_, err := api.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
	if isNotFound(err) {
		_, err = api.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        Namespace,
			Description:                      "Quietline: complaints and cases",
			WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		})
		if _, exists := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); exists {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("namespace %s: %w", Namespace, err)
	}
	_, err = api.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: "casework"},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	if err != nil {
		return fmt.Errorf("matching: %w", err)
	}
	_, err = api.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: "no-such-workflow"},
	})
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func isNotFound(err error) bool {
	return err != nil && serviceerror.ToStatus(err).Code() == codes.NotFound
}
