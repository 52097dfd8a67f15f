// Package store is assignment's tables: goose migrations, and queries compiled by sqlc from queries.sql.
package store

import "embed"

// Migrations are the tables, the directory and the first routing table.
//
//go:embed migrations/*.sql
var Migrations embed.FS
