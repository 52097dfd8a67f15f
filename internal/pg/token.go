package pg

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Bounds of a page.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// maxToken is far above any token made here; longer ones are not looked at.
const maxToken = 2048

// PageSize is the bounded size of a page: 50 when none is asked for, at most 500.
func PageSize(asked int32) int32 {
	if asked <= 0 {
		return DefaultPageSize
	}
	return min(asked, MaxPageSize)
}

// EncodeToken makes an opaque page token of the sort keys of a page's last row. It is not secret: callers can read it,
// so it MUST NOT hold what the caller may not see.
func EncodeToken(parts ...string) string {
	raw, err := json.Marshal(parts)
	if err != nil { // strings always marshal
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeToken reads a token of n parts. An empty token is the first page: no parts, no error. Anything that was not
// made by EncodeToken is refused with BAD_CURSOR.
func DecodeToken(token string, n int) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	if len(token) > maxToken {
		return nil, badCursor()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, badCursor()
	}
	var parts []string
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != n {
		return nil, badCursor()
	}
	for _, p := range parts {
		if !utf8.ValidString(p) || strings.ContainsRune(p, 0) {
			return nil, badCursor()
		}
	}
	return parts, nil
}

// TimeToken is a page token for lists sorted by a time and an ID.
func TimeToken(t time.Time, id string) string {
	return EncodeToken(strconv.FormatInt(t.UnixMicro(), 10), id) // PostgreSQL keeps microseconds
}

// DecodeTimeToken reads a TimeToken whose ID is a UUID. An empty token gives the zero time and ok = false.
func DecodeTimeToken(token string) (t time.Time, id string, ok bool, err error) {
	parts, err := DecodeToken(token, 2)
	if err != nil || parts == nil {
		return time.Time{}, "", false, err
	}
	us, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || uuid.Validate(parts[1]) != nil {
		return time.Time{}, "", false, badCursor()
	}
	return time.UnixMicro(us).UTC(), parts[1], true, nil
}

// Cursor is a place in a change feed. Feed rows carry the transaction that wrote them (xid8, DEFAULT
// pg_current_xact_id()) and an ID; readers take
//
//	WHERE (xid, id) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id
//
// so that a transaction that commits late is never passed over.
type Cursor struct {
	Xid string // decimal text of an xid8
	ID  string
}

// String is the opaque form that travels.
func (c Cursor) String() string { return EncodeToken(c.Xid, c.ID) }

// DecodeCursor reads a cursor. An empty one is the beginning, whose ID is first: "0" for feeds with bigint IDs,
// uuid.Nil.String() for feeds with UUIDs. A cursor of the wrong kind is refused with BAD_CURSOR.
func DecodeCursor(token, first string) (Cursor, error) {
	parts, err := DecodeToken(token, 2)
	if err != nil {
		return Cursor{}, err
	}
	if parts == nil {
		return Cursor{Xid: "0", ID: first}, nil
	}
	if _, err := strconv.ParseUint(parts[0], 10, 64); err != nil {
		return Cursor{}, badCursor()
	}
	if first == "0" {
		_, err = strconv.ParseInt(parts[1], 10, 64)
	} else {
		err = uuid.Validate(parts[1])
	}
	if err != nil {
		return Cursor{}, badCursor()
	}
	return Cursor{Xid: parts[0], ID: parts[1]}, nil
}

func badCursor() error {
	return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR,
		"the page token or cursor is not one that this service gave out for this list")
}
