// Package store is the SQL of reporting: migrations, queries, the code that sqlc makes of them, and COPY for batches.
package store

import "embed"

// Migrations is the schema of the service's database.
//
//go:embed migrations/*.sql
var Migrations embed.FS
