package credit

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// listen starts the hub, as the running service does.
func (w *world) listen(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.server.hub.run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	for live := false; !live; live = w.server.hub.interval() == feedBeside {
		select {
		case <-w.server.hub.wake():
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the hub does not listen")
		}
	}
}

// TestFeed_everyoneHearsEverythingInOrder has many follow while entries come and go, with and without the hub.
func TestFeed_everyoneHearsEverythingInOrder(t *testing.T) {
	for _, hub := range []bool{true, false} {
		w := newWorld(t)
		if hub {
			w.listen(t)
		}
		const entries, followers, each = 12, 10, 2 * 12
		var wg sync.WaitGroup
		got := make([][]string, followers)
		for i := range followers {
			wg.Go(func() {
				cursor := ""
				for len(got[i]) < each {
					resp, err := w.operator.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{
						AfterCursor: cursor, MaxWait: durationpb.New(20 * time.Second), PageSize: int32(i%3) * 5,
					})
					if err != nil {
						t.Error(err)
						return
					}
					for _, c := range resp.GetChanges() {
						got[i] = append(got[i], c.GetListingId()+c.GetState())
					}
					cursor = resp.GetNextCursor()
				}
			})
		}
		for range entries {
			wg.Go(func() {
				l, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() })
				if err == nil {
					_, err = w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: l.GetListingId(), Reason: "x"})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, all := range got {
			if !slices.Equal(all, got[0]) || len(all) != each {
				t.Fatalf("follower %d: %d changes, in another order than the first", i, len(all))
			}
		}
	}
}

func TestFeed_howFarBehind(t *testing.T) {
	w := newWorld(t)
	follower := w.as("sys", "nfra", "", accessv1.Role_ROLE_CASEWORKER)
	ack := func(cursor string) (*creditv1.Subscriber, error) {
		resp, err := follower.AckListingChanges(t.Context(), &creditv1.AckListingChangesRequest{RequestId: uuid.NewString(), Cursor: cursor})
		return resp.GetSubscriber(), err
	}
	if s, err := ack(""); err != nil || s.GetBehind() != 0 {
		t.Fatalf("%v, %v", s, err)
	}
	for range 3 {
		if _, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() }); err != nil {
			t.Fatal(err)
		}
	}
	page, err := follower.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{PageSize: 2})
	if err != nil || len(page.GetChanges()) != 2 {
		t.Fatalf("%v, %v", page, err)
	}
	if s, err := ack(page.GetNextCursor()); err != nil || s.GetBehind() != 1 || s.GetBehindAge() == nil {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := ack(page.GetChanges()[0].GetCursor()); err != nil || s.GetBehind() != 1 { // late: it never goes back
		t.Errorf("%v, %v", s, err)
	}
	all, err := w.au.ListSubscribers(t.Context(), &creditv1.ListSubscribersRequest{})
	if err != nil || len(all.GetSubscribers()) != 1 || all.GetSubscribers()[0].GetAgencyId() != "nfra" || all.GetSubscribers()[0].GetBehind() != 1 {
		t.Errorf("%v, %v", all, err)
	}
	for _, bad := range []string{"nonsense", cursorOf(1000)} {
		_, err := ack(bad)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
	}
}
