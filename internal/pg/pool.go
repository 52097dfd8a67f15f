package pg

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultConns lets commits share their flush: a committing transaction waits for the disk, not for the processor.
const defaultConns = 16

// Open makes a pool and checks that the database answers. Pool sizes come from the URL (pool_max_conns and so on).
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx leaves the password out
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultConns
	}
	cfg.MaxConnLifetimeJitter = 5 * time.Minute
	params := cfg.ConnConfig.RuntimeParams
	params["timezone"] = "UTC"
	if params["application_name"] == "" {
		params["application_name"] = "quietline"
	}
	// A process that died in the middle must not keep its locks for long.
	params["idle_in_transaction_session_timeout"] = "60000"
	cfg.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithDisableConnectionDetailsInAttributes())
	db, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := db.Ping(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// Start brings a service's database to this program's schema, as its owner or, without ownerURL, as the service itself,
// and opens it for the service, whose role is role.
func Start(ctx context.Context, ownerURL, serviceURL string, files embed.FS, role string) (*pgxpool.Pool, error) {
	if err := Migrate(ctx, cmp.Or(ownerURL, serviceURL), files, role); err != nil {
		return nil, err
	}
	return Open(ctx, serviceURL)
}
