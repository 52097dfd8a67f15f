package pg_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
)

const badCursor = commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR

func TestToken_comesBackAsItWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringMatching(`[^\x00]{0,50}`), 1, 3).Draw(t, "parts")
		got, err := pg.DecodeToken(pg.EncodeToken(parts...), len(parts))
		if err != nil || !slices.Equal(got, parts) {
			t.Fatalf("%q -> %q, %v", parts, got, err)
		}
	})
}

func TestToken_refusesWhatItDidNotMake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.String().Draw(t, "token")
		if _, err := pg.DecodeToken(token, 2); err != nil && !errs.Is(err, badCursor) {
			t.Fatalf("%q: %v", token, err)
		}
	})
	for name, token := range map[string]string{
		"text":        "not a token",
		"too long":    strings.Repeat("A", 10_000),
		"other count": pg.EncodeToken("1", "2", "3"),
		"NUL":         pg.EncodeToken("1", "\x00"),
		"no strings":  base64.RawURLEncoding.EncodeToString([]byte(`[1,2]`)),
		"no time":     pg.EncodeToken("soon", uuid.NewString()),
		"no uuid":     pg.EncodeToken("1", "'; DROP TABLE report"),
	} {
		if _, _, _, err := pg.DecodeTimeToken(token); !errs.Is(err, badCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimeToken(t *testing.T) {
	at, id := time.Date(2026, 11, 21, 8, 0, 0, 123_456_000, time.UTC), uuid.NewString()
	gotAt, gotID, ok, err := pg.DecodeTimeToken(pg.TimeToken(at, id))
	if err != nil || !ok || !gotAt.Equal(at) || gotID != id {
		t.Errorf("%v, %v, %v, %v", gotAt, gotID, ok, err)
	}
	if _, _, ok, err := pg.DecodeTimeToken(""); ok || err != nil {
		t.Errorf("the first page: %v, %v", ok, err)
	}
}

func TestCursor(t *testing.T) {
	for _, first := range []string{"0", uuid.Nil.String()} {
		start, err := pg.DecodeCursor("", first)
		if err != nil || start != (pg.Cursor{Xid: "0", ID: first}) {
			t.Errorf("beginning: %v, %v", start, err)
		}
		c := pg.Cursor{Xid: "18446744073709551615", ID: first}
		if got, err := pg.DecodeCursor(c.String(), first); err != nil || got != c {
			t.Errorf("%v -> %v, %v", c, got, err)
		}
		if n := len(pg.Cursor{Xid: c.Xid, ID: uuid.NewString()}.String()); n > 100 {
			t.Errorf("a cursor of %d characters is too long for the protos", n)
		}
	}
	for _, c := range []pg.Cursor{{Xid: "-1", ID: "0"}, {Xid: "0", ID: uuid.NewString()}, {Xid: "x", ID: "1"}} {
		if _, err := pg.DecodeCursor(c.String(), "0"); !errs.Is(err, badCursor) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestPageSize(t *testing.T) {
	for asked, want := range map[int32]int32{-1: 50, 0: 50, 1: 1, 500: 500, 501: 500} {
		if got := pg.PageSize(asked); got != want {
			t.Errorf("PageSize(%d) = %d", asked, got)
		}
	}
}
