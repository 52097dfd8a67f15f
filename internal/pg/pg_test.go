package pg_test

import (
	"context"
	"embed"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

var none embed.FS

type (
	request  = ledgerv1.SuspendResourceRequest
	response = ledgerv1.SuspendResourceResponse
)

const reused = commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED

// deeds is a database with a table whose rows count what was done.
func deeds(t testing.TB) *pgxpool.Pool {
	t.Helper()
	db := testkit.DB(t, "ledger", none)
	if _, err := testkit.Owner(t, db).Exec(t.Context(), `CREATE TABLE deed (id uuid); GRANT ALL ON deed TO ledger`); err != nil {
		t.Fatal(err)
	}
	return db
}

func do(ctx context.Context, tx pgx.Tx) (*response, error) {
	id := uuid.NewString()
	if _, err := tx.Exec(ctx, "INSERT INTO deed VALUES ($1)", id); err != nil {
		return nil, err
	}
	return &response{Resource: &ledgerv1.Resource{ResourceId: id}}, nil
}

func suspend(ctx context.Context, db *pgxpool.Pool, req *request) (*response, error) {
	return pg.Once(ctx, db, req, func(tx pgx.Tx) (*response, error) { return do(ctx, tx) })
}

func count(t testing.TB, db *pgxpool.Pool) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM deed").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func newRequest() *request {
	return &request{RequestId: uuid.NewString(), ResourceId: uuid.NewString()}
}

func TestOnce_answersARepeatWithTheFirstResponse(t *testing.T) {
	db, req := deeds(t), newRequest()
	first, err := suspend(t.Context(), db, req)
	if err != nil {
		t.Fatal(err)
	}
	second, err := suspend(t.Context(), db, req)
	if err != nil || second.GetResource().GetResourceId() != first.GetResource().GetResourceId() {
		t.Errorf("got %v, %v; first %v", second, err, first)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestOnce_refusesAnotherRequestUnderTheSameID(t *testing.T) {
	db, req := deeds(t), newRequest()
	if _, err := suspend(t.Context(), db, req); err != nil {
		t.Fatal(err)
	}
	req.ResourceId = uuid.NewString()
	if _, err := suspend(t.Context(), db, req); !errs.Is(err, reused) {
		t.Errorf("got %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestOnce_keepsActorsApart(t *testing.T) {
	db, req := deeds(t), newRequest()
	for _, subject := range []string{"a", "b", "a"} {
		ctx := identity.WithActor(t.Context(), &commonv1.Actor{Subject: subject})
		if _, err := suspend(ctx, db, req); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db); n != 2 {
		t.Errorf("done %d times", n)
	}
}

func TestOnce_runsOneOfManyAtOnce(t *testing.T) {
	db, req := deeds(t), newRequest()
	ids := make([]string, 12)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			resp, err := suspend(t.Context(), db, req)
			if err != nil {
				t.Error(err)
			}
			ids[i] = resp.GetResource().GetResourceId()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("answers differ: %v", ids)
		}
	}
	if n := count(t, db); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestOnce_forgetsWhatFailed(t *testing.T) {
	db, req := deeds(t), newRequest()
	refusal := errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "closed")
	_, err := pg.Once(t.Context(), db, req, func(tx pgx.Tx) (*response, error) {
		if _, err := do(t.Context(), tx); err != nil {
			return nil, err
		}
		return nil, refusal
	})
	if !errors.Is(err, refusal) || count(t, db) != 0 {
		t.Fatalf("got %v, %d deeds", err, count(t, db))
	}
	if _, err := suspend(t.Context(), db, req); err != nil || count(t, db) != 1 {
		t.Errorf("the second try: %v, %d deeds", err, count(t, db))
	}
}

func TestOnce_runsAgainAfterASerializationFailure(t *testing.T) {
	db := deeds(t)
	var runs int
	_, err := pg.Once(t.Context(), db, newRequest(), func(tx pgx.Tx) (*response, error) {
		runs++
		resp, err := do(t.Context(), tx)
		if err == nil && runs < 3 {
			err = &pgconn.PgError{Code: "40001"}
		}
		return resp, err
	})
	if err != nil || runs != 3 || count(t, db) != 1 {
		t.Errorf("%d runs, %d deeds, %v", runs, count(t, db), err)
	}
}

func TestOnce_swallowedErrorsDoNotCommit(t *testing.T) {
	db, req := deeds(t), newRequest()
	_, err := pg.Once(t.Context(), db, req, func(tx pgx.Tx) (*response, error) {
		_, _ = tx.Exec(t.Context(), "SELECT 1/0")
		return &response{}, nil
	})
	if err == nil {
		t.Fatal("committed")
	}
	if _, err := suspend(t.Context(), db, req); err != nil || count(t, db) != 1 {
		t.Errorf("the second try: %v", err)
	}
}

func TestOnce_panicGivesTheConnectionBack(t *testing.T) {
	db, req := deeds(t), newRequest()
	func() {
		defer func() { _ = recover() }()
		_, _ = pg.Once(t.Context(), db, req, func(tx pgx.Tx) (*response, error) {
			_, _ = do(t.Context(), tx)
			panic("bug")
		})
	}()
	if n := db.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are gone", n)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("done %d times", n)
	}
}

func TestOnce_emptyResponseIsRemembered(t *testing.T) {
	db, req := deeds(t), newRequest()
	var runs int
	for range 2 {
		resp, err := pg.Once(t.Context(), db, req, func(pgx.Tx) (*response, error) { runs++; return &response{}, nil })
		if err != nil || resp == nil {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	if runs != 1 {
		t.Errorf("ran %d times", runs)
	}
}

func TestOnce_refusesAnIDThatIsNoUUID(t *testing.T) {
	_, err := suspend(t.Context(), nil, &request{RequestId: "1"})
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
		t.Errorf("got %v", err)
	}
}

func TestOnceTx_keepsTheRowsThatWentWell(t *testing.T) {
	db := deeds(t)
	good, bad := newRequest(), newRequest()
	batch := func() error {
		return pg.Tx(t.Context(), db, func(tx pgx.Tx) error {
			for _, req := range []*request{bad, good} {
				sp, err := tx.Begin(t.Context())
				if err != nil {
					return err
				}
				_, err = pg.OnceTx(t.Context(), sp, req, func(tx pgx.Tx) (*response, error) {
					resp, err := do(t.Context(), tx)
					if req == bad {
						return nil, errors.New("bad row")
					}
					return resp, err
				})
				if err != nil {
					err = sp.Rollback(t.Context())
				} else {
					err = sp.Commit(t.Context())
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 2 {
		if err := batch(); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestTx_runsAgainAfterADeadlock(t *testing.T) {
	db := deeds(t)
	owner := testkit.Owner(t, db)
	if _, err := owner.Exec(t.Context(), "ALTER TABLE deed ADD n int DEFAULT 0; INSERT INTO deed VALUES ($1), ($2)",
		pgx.QueryExecModeSimpleProtocol, uuid.Nil, uuid.Max); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Add(2)
	var runs atomic.Int32
	work := func(first, second uuid.UUID) error {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
		return pg.Tx(t.Context(), db, func(tx pgx.Tx) error {
			runs.Add(1)
			for _, id := range []uuid.UUID{first, second} {
				if _, err := tx.Exec(t.Context(), "UPDATE deed SET n = n + 1 WHERE id = $1", id); err != nil {
					return err
				}
				meet() // each holds one row before it asks for the other's
			}
			return nil
		})
	}
	result := make(chan error)
	go func() { result <- work(uuid.Nil, uuid.Max) }()
	go func() { result <- work(uuid.Max, uuid.Nil) }()
	if err := errors.Join(<-result, <-result); err != nil {
		t.Fatal(err)
	}
	var sum int
	if err := db.QueryRow(t.Context(), "SELECT sum(n) FROM deed").Scan(&sum); err != nil || sum != 4 || runs.Load() < 3 {
		t.Errorf("sum %d after %d runs, %v", sum, runs.Load(), err)
	}
}

func TestLongPoll(t *testing.T) {
	t.Run("answers when rows come", func(t *testing.T) {
		asked := 0
		rows, err := pg.LongPoll(t.Context(), time.Minute, time.Millisecond, func(context.Context) ([]int, error) {
			if asked++; asked == 3 {
				return []int{7}, nil
			}
			return nil, nil
		})
		if err != nil || len(rows) != 1 {
			t.Errorf("%v, %v", rows, err)
		}
	})
	never := func(context.Context) ([]int, error) { return nil, nil }
	t.Run("ends before the caller's deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if rows, err := pg.LongPoll(ctx, time.Minute, 10*time.Millisecond, never); rows != nil || err != nil || ctx.Err() != nil {
			t.Errorf("%v, %v, %v", rows, err, ctx.Err())
		}
	})
	t.Run("ends when the server stops", func(t *testing.T) {
		stopping := make(chan struct{})
		close(stopping)
		if rows, err := pg.LongPoll(pg.WithDrain(t.Context(), stopping), time.Minute, time.Minute, never); rows != nil || err != nil {
			t.Errorf("%v, %v", rows, err)
		}
	})
	t.Run("asks once without waiting", func(t *testing.T) {
		if rows, err := pg.LongPoll(t.Context(), 0, time.Minute, never); rows != nil || err != nil {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

func BenchmarkOnce(b *testing.B) {
	db := deeds(b)
	b.Run("once", func(b *testing.B) {
		for b.Loop() {
			if _, err := suspend(b.Context(), db, newRequest()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare transaction", func(b *testing.B) {
		for b.Loop() {
			err := pgx.BeginFunc(b.Context(), db, func(tx pgx.Tx) error { _, err := do(b.Context(), tx); return err })
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
