package pg

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tries bounds how often a transaction that lost against another is run again.
const tries = 4

// Tx runs fn in a transaction, again when it lost against another one (serialization failure, deadlock). Use it for
// writes that are repeatable by nature; commands go through Once. fn MUST have no effects outside the transaction.
func Tx(ctx context.Context, db *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	return retry(ctx, func() error { return pgx.BeginFunc(ctx, db, fn) })
}

func retry(ctx context.Context, run func() error) error {
	for try := 1; ; try++ {
		err := run()
		if err == nil || try == tries || !Lost(err) {
			return err
		}
		pause := time.Duration(try) * time.Duration(2+rand.IntN(8)) * time.Millisecond
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// Lost says whether a transaction was given up in favour of another, so that running it again may succeed.
func Lost(err error) bool {
	code := Code(err)
	return code == "40001" || code == "40P01"
}

// Code is the SQLSTATE of an error of PostgreSQL, empty for others.
func Code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// Constraint is the name of the constraint that an error of PostgreSQL is about, empty for others.
func Constraint(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.ConstraintName
	}
	return ""
}

// rollback ends what is still open, even when ctx has ended. A connection in doubt is closed by the pool.
func rollback(ctx context.Context, conn *pgx.Conn, tx pgx.Tx) {
	if tx == nil || conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx)
}
