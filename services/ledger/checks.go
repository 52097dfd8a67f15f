package ledger

import (
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
)

var (
	caller = regexp.MustCompile(`^[0-9]{3,18}$`)
)

// firstID is below every identifier: where the first page begins.
const firstID = "00000000-0000-0000-0000-000000000000"

// maxText bounds the free fields of a holder, which its proto leaves open.
const maxText = 200

func checkHolder(h *ledgerv1.Holder) error {
	switch {
	case h.GetName() == "":
		return errs.Field("holder.name", "must be given")
	case format.IsPersonalID(h.GetCreditCode()):
		return errs.Field("holder.credit_code", "must not be the number of an identity card: a person is entered without a code (个人信息保护法 6)")
	case h.GetCreditCode() != "" && !format.IsCreditCode(h.GetCreditCode()):
		return errs.Field("holder.credit_code", "must be a unified social credit code of 18 digits and capital letters (GB 32100)")
	}
	for path, text := range map[string]string{"holder.name": h.GetName(), "holder.licence": h.GetLicence(),
		"holder.sector": h.GetSector(), "holder.agency_id": h.GetAgencyId()} {
		if utf8.RuneCountInString(text) > maxText {
			return errs.Field(path, "must have at most %d characters", maxText)
		}
	}
	return nil
}

// checkSpan sees that a valid time is not empty.
func checkSpan(from time.Time, to *time.Time) error {
	if to != nil && !to.After(from) {
		return errs.Field("valid_to", "must be after valid_from")
	}
	return nil
}

func optionalID(path, text string) (*string, error) {
	if text == "" {
		return nil, nil
	}
	if uuid.Validate(text) != nil {
		return nil, errs.Field(path, "must be a UUID")
	}
	return &text, nil
}

// afterID reads the token of a page that is sorted by an identifier.
func afterID(token string) (string, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return "", err
	}
	if parts == nil {
		return firstID, nil
	}
	if uuid.Validate(parts[0]) != nil {
		return "", errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR,
			"the page token is not one of this list")
	}
	return parts[0], nil
}
