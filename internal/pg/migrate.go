package pg

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // goose works through database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var own embed.FS

const (
	ownVersions     = "quietline_plumbing_version" // versions of this package's own migrations
	serviceVersions = "goose_db_version"
)

// Migrations is this package's own part of every database's schema.
func Migrations() embed.FS { return own }

// ErrNewerDatabase means that a newer version of the program has migrated the database already.
var ErrNewerDatabase = errors.New("the database belongs to a newer version of quietline")

// Migrate brings a service's database to this program's schema: the files under migrations/ in files, and the request
// table. It runs as the database's owner and grants role, the service's own role, what Once needs (an empty role:
// nothing). Several replicas may run it at once.
func Migrate(ctx context.Context, ownerURL string, files embed.FS, role string) error {
	db, err := sql.Open("pgx", ownerURL)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer db.Close()
	if err := up(ctx, db, own, ownVersions); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "SELECT request_maintain()"); err != nil {
		return fmt.Errorf("migrate: partitions: %w", err)
	}
	if role != "" {
		name := pgx.Identifier{role}.Sanitize()
		for _, grant := range []string{
			"GRANT SELECT, INSERT ON request TO " + name,
			"GRANT EXECUTE ON FUNCTION request_maintain() TO " + name,
		} {
			if _, err := db.ExecContext(ctx, grant); err != nil {
				return fmt.Errorf("migrate: grant to %s: %w", role, err)
			}
		}
	}
	if _, err := fs.Stat(files, "migrations"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return up(ctx, db, files, serviceVersions)
}

func up(ctx context.Context, db *sql.DB, files embed.FS, table string) error {
	dir, err := fs.Sub(files, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Replicas that start together wait for each other: a second between tries, five minutes in all.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir,
		goose.WithTableName(table), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	sources := p.ListSources()
	if know := sources[len(sources)-1].Version; have > know {
		return fmt.Errorf("%w: it has schema %d and this program knows %d; run the newer version", ErrNewerDatabase, have, know)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Maintain makes the partitions that Once will need and drops those that nobody needs any more. Run it daily.
func Maintain(ctx context.Context, db *pgxpool.Pool) error {
	if _, err := db.Exec(ctx, "SELECT request_maintain()"); err != nil {
		return fmt.Errorf("maintain: %w", err)
	}
	return nil
}

// MaintainDaily runs Maintain, and what more a service has to do, now and every day until ctx ends. What fails is logged
// and tried again in an hour.
func MaintainDaily(ctx context.Context, db *pgxpool.Pool, more ...func(context.Context) error) {
	for {
		wait := 24 * time.Hour
		err := Maintain(ctx, db)
		for _, do := range more {
			err = errors.Join(err, do(ctx))
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "daily maintenance failed, next try in an hour", slog.Any("error", err))
			wait = time.Hour
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
