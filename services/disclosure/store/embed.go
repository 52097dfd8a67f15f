// Package store is the SQL of disclosure: migrations, queries and the code that sqlc makes of them.
package store

import "embed"

// Migrations is the schema, version by version.
//
//go:embed migrations/*.sql
var Migrations embed.FS
