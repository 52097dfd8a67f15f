package reporting

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/internal/phone"
	"quietline/internal/seal"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/reporting/store"
)

// Kinds of keyed MACs.
const (
	indexReporter = "reporter"
	indexContent  = "content"
)

// sealedReport is what of a report is stored encrypted only, in one piece: one sealing a report.
type sealedReport struct {
	Reporter, Called string // as sent
	Text             string
	Raw              string // decoded cells of the row; empty for a typed report
}

// errSealed means that a sealed value was not written by this program.
var errSealed = errors.New("sealed report: malformed")

// pack is the plain form: each part with its length before it.
func (r sealedReport) pack() []byte {
	parts := [...]string{r.Reporter, r.Called, r.Text, r.Raw}
	size := 0
	for _, p := range parts {
		size += len(p) + binary.MaxVarintLen32
	}
	b := make([]byte, 0, size)
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

func unpack(b []byte) (r sealedReport, err error) {
	for _, p := range []*string{&r.Reporter, &r.Called, &r.Text, &r.Raw} {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return sealedReport{}, errSealed
		}
		b = b[used:]
		*p, b = string(b[:n]), b[n:]
	}
	return r, nil
}

// places of sealed values, so that none opens anywhere else
func reportPlace(id string) []byte { return []byte("report.sealed/" + id) }
func entryPlace(id string) []byte  { return []byte("quarantine.sealed/" + id) }

// openReport decrypts what of a report is sealed.
func openReport(keys *seal.Keys, reportID string, sealed []byte) (sealedReport, error) {
	plain, err := keys.Unseal(sealed, reportPlace(reportID))
	if err != nil {
		return sealedReport{}, err
	}
	return unpack(plain)
}

// incoming is a report on its way in, parsed and sealed, but without complaint.
type incoming struct {
	store.NewReport
	number *commonv1.Number
	key    *string // nil: to open a complaint without number
	led    *string // key of the live complaint that its own key leads to; nil: to its own
	known  bool    // the reporter's number is known, so that the same call can be told from another
}

// complaint is what the report opens when its key has no live complaint.
func (r *incoming) complaint(id uuid.UUID) *store.NewComplaint {
	return &store.NewComplaint{
		ComplaintID: id, Key: r.joins(), JoinOnly: r.led != nil, Displayed: r.Displayed, Normal: r.number.GetNormal(), Kind: r.number.GetKind(),
		Province: r.number.GetProvince(), Carrier: r.number.GetAllocatedCarrier(), Reason: r.number.GetReason(),
	}
}

// joins is the key of the complaint that the report joins or opens.
func (r *incoming) joins() *string {
	if r.led != nil {
		return r.led
	}
	return r.key
}

// newID makes an identifier in order of time.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

var poolRandom = sync.OnceFunc(uuid.EnableRandPool)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newReceipt is a receipt number: the day in Asia/Shanghai and 40 random bits.
func newReceipt(at time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	for i, b := range random {
		random[i] = crockford[b&31]
	}
	return "QL" + at.In(calendar.Shanghai).Format("060102") + string(random[:])
}

// reporter writes down who reports without naming him: an index to find him again, for who gave no number is nobody's
// twin, and the operator to ask for a traceback.
func (r *incoming) reporter(keys *seal.Keys, number string) {
	n := phone.Parse(number)
	r.ReporterOperator = operatorOf(n, r.ReporterProvince)
	written := strings.TrimSpace(number)
	switch {
	case n.GetNormal() != "" && n.GetKind() != phone.Text:
		r.ReporterIndex, r.known = keys.Index(indexReporter, n.GetNormal()), true
	case written != "":
		r.ReporterIndex, r.known = keys.Index(indexReporter, written), true
	default:
		r.ReporterIndex, r.known = keys.Index(indexReporter, r.Sender+"\x00"+r.SenderNo), false
	}
}
