package ledger

import (
	"testing"

	"github.com/google/uuid"

	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestNoPersonIsPublished: the number of an identity card is no credit code; one that is on record all the same is not told.
func TestNoPersonIsPublished(t *testing.T) {
	const person = "11010519491231002X" // the example of GB 11643-1999
	w := newWorld(t)
	_, err := w.registrar.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: "静线样例某人", CreditCode: person, Sector: "loans"},
	})
	wantReason(t, err, invalid)
	holder := uuid.NewString()
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO holder (holder_id, name, credit_code, licence, sector, created_by)
		VALUES ($1, '静线样例某人', $2, '', 'loans', 'x')`, holder, person); err != nil {
		t.Fatal(err)
	}
	firm := w.holder(t, "静线样例公司", "91000000DEMNDEMN01")
	for number, h := range map[string]string{"4008000001": holder, "4008000002": firm.GetHolderId()} {
		if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.FirstNumber, r.PermittedCallers = h, number, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: "4008000001"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if _, err := w.registrar.DeclareSublet(t.Context(), &ledgerv1.DeclareSubletRequest{RequestId: uuid.NewString(), Sublet: &ledgerv1.Sublet{
		ResourceId: w.resource(t, "4008000002"), Lessee: &ledgerv1.Holder{HolderId: holder}, Purpose: "customer_service", Document: "批准转租文件",
	}}); err != nil {
		t.Fatal(err)
	}
	got, err := w.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: "4008000002"})
	if err != nil || got.GetHolderName() != "静线样例公司" || len(got.GetSubHolderNames()) > 0 {
		t.Errorf("let to a person: %v, %v", got, err)
	}
}

func (w *world) resource(t *testing.T, number string) string {
	t.Helper()
	got, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: number})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetResource().GetResourceId()
}
