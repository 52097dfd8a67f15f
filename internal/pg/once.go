package pg

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/identity"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Request is a command: every one carries a request ID, a UUID that the caller chose.
type Request interface {
	proto.Message
	GetRequestId() string
}

// Lock and look-up are two statements on purpose: the look-up needs a snapshot taken after the lock was given, or it
// would not see what the holder before us has committed.
const (
	lockSQL   = `SELECT pg_advisory_xact_lock($1)`
	lookupSQL = `SELECT request_hash, response FROM request WHERE request_id = $1 AND rpc = $2 AND actor = $3`
	insertSQL = `INSERT INTO request (request_id, rpc, actor, request_hash, response) VALUES ($1, $2, $3, $4, $5)`
)

// Once runs fn in one transaction at most once for a request ID and answers a repeat with the first response. The
// contract stands in the package comment. It costs two round trips beside fn's own.
func Once[T proto.Message](ctx context.Context, db *pgxpool.Pool, req Request, fn func(tx pgx.Tx) (T, error)) (T, error) {
	k, err := keyOf(ctx, req)
	if err != nil {
		var none T
		return none, err
	}
	var resp T
	err = retry(ctx, func() error {
		resp, err = once(ctx, db, k, fn)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return resp, nil
}

// OnceTx is Once inside a transaction of the caller, for writes that belong together. When it returns an error the
// caller must roll back, to a savepoint (tx.Begin) or altogether. Take several in one order of request IDs: each holds
// a lock until the end.
func OnceTx[T proto.Message](ctx context.Context, tx pgx.Tx, req Request, fn func(tx pgx.Tx) (T, error)) (T, error) {
	var none T
	k, err := keyOf(ctx, req)
	if err != nil {
		return none, err
	}
	b := &pgx.Batch{}
	k.queueLookup(b)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return none, fmt.Errorf("look up request: %w", err)
	}
	if k.found {
		return replay[T](k)
	}
	resp, err := fn(tx)
	if err != nil {
		return none, err
	}
	args, err := k.insertArgs(resp)
	if err != nil {
		return none, err
	}
	if _, err := tx.Exec(ctx, insertSQL, args...); err != nil {
		return none, fmt.Errorf("remember request: %w", err)
	}
	return resp, nil
}

func once[T proto.Message](ctx context.Context, db *pgxpool.Pool, k *key, fn func(tx pgx.Tx) (T, error)) (T, error) {
	var none T
	conn, err := db.Acquire(ctx)
	if err != nil {
		return none, fmt.Errorf("get connection: %w", err)
	}
	defer conn.Release()

	// begin, lock and look-up travel together
	b := &pgx.Batch{}
	b.BeginTx(pgx.TxOptions{})
	k.queueLookup(b)
	results := conn.SendBatch(ctx, b)
	tx := results.Tx()
	defer rollback(ctx, conn.Conn(), tx)
	if err := results.Close(); err != nil {
		return none, fmt.Errorf("look up request: %w", err)
	}
	if k.found {
		return replay[T](k)
	}

	resp, err := fn(tx)
	if err != nil {
		return none, err
	}
	args, err := k.insertArgs(resp)
	if err != nil {
		return none, err
	}

	// and so do the row that remembers and the commit
	var tag pgconn.CommandTag
	b = &pgx.Batch{}
	b.Queue(insertSQL, args...)
	b.Queue("commit").Exec(func(t pgconn.CommandTag) error { tag = t; return nil })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return none, fmt.Errorf("commit: %w", err)
	}
	if tag.String() == "ROLLBACK" {
		return none, fmt.Errorf("commit: %w", pgx.ErrTxCommitRollback)
	}
	return resp, nil
}

// key is what makes a request the same, with what is remembered of it.
type key struct {
	actor, rpc string
	id         uuid.UUID
	hash       [sha256.Size]byte

	found    bool
	oldHash  []byte
	response []byte
}

func keyOf(ctx context.Context, req Request) (*key, error) {
	k, err := nameOf(ctx, req)
	if err != nil {
		return nil, err
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	k.hash = sha256.Sum256(raw)
	return k, nil
}

// nameOf is the key without the hash.
func nameOf(ctx context.Context, req Request) (*key, error) {
	id, err := uuid.Parse(req.GetRequestId())
	if err != nil {
		return nil, errs.Field("request_id", "must be a UUID")
	}
	rpc, ok := grpc.Method(ctx)
	if !ok { // a job of the service itself, not an RPC
		rpc = string(req.ProtoReflect().Descriptor().FullName())
	}
	caller := identity.WorkloadOfCaller(identity.CallerOf(ctx))
	return &key{
		actor: identity.ActorOf(ctx).GetSubject() + "|" + string(caller),
		rpc:   rpc,
		id:    id,
	}, nil
}

func (k *key) queueLookup(b *pgx.Batch) {
	k.found = false // a retry looks again
	b.Queue(lockSQL, k.lock())
	b.Queue(lookupSQL, k.id, k.rpc, k.actor).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&k.oldHash, &k.response)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		k.found = err == nil
		return err
	})
}

// lock is the advisory lock of the key. Two keys that share one by chance only wait for each other.
func (k *key) lock() int64 { return int64(binary.BigEndian.Uint64(k.sum())) }

func (k *key) sum() []byte {
	h := sha256.New()
	h.Write(k.id[:])
	h.Write([]byte(k.rpc + "\x00" + k.actor))
	return h.Sum(nil)
}

// RequestKey is the key of a request in 16 bytes, for a write that keeps it on the very row it makes, under a unique
// index, and answers a repeat from there: such a write needs neither Once nor its round trips.
func RequestKey(ctx context.Context, req Request) (uuid.UUID, error) {
	k, err := nameOf(ctx, req)
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.UUID(k.sum()[:16]), nil
}

// Reused refuses a request whose ID was used for another.
func Reused(requestID string) error {
	return errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED,
		"request_id %s was used for another request; take a new one", requestID)
}

func (k *key) insertArgs(resp proto.Message) ([]any, error) {
	raw, err := proto.Marshal(resp)
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	if raw == nil {
		raw = []byte{} // an empty response is a response
	}
	return []any{k.id, k.rpc, k.actor, k.hash[:], raw}, nil
}

func replay[T proto.Message](k *key) (T, error) {
	var none T
	if string(k.oldHash) != string(k.hash[:]) {
		return none, Reused(k.id.String())
	}
	resp, ok := none.ProtoReflect().Type().New().Interface().(T)
	if !ok {
		return none, fmt.Errorf("response: %T is not a generated message", none)
	}
	if err := proto.Unmarshal(k.response, resp); err != nil {
		return none, fmt.Errorf("stored response: %w", err)
	}
	return resp, nil
}
