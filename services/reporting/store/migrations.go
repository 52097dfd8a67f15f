package store

import "embed"

// Migrations is the schema of the service's database.
//
//go:embed migrations/*.sql
var Migrations embed.FS
