package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Services are the owners of a database each, named like them.
var Services = []string{"reporting", "assignment", "ledger", "credit", "enforcement", "disclosure"}

// database is one database with the role that owns it and changes its schema, and
// the role that works in it.
type database struct{ name, owner, worker string }

// databases lists what must exist: one for each service and, with a private
// Temporal server, its two.
func databases(temporal bool) []database {
	var all []database
	for _, s := range Services {
		all = append(all, database{name: s, owner: s + "_owner", worker: s})
	}
	if temporal {
		for _, name := range []string{"temporal", "temporal_visibility"} {
			all = append(all, database{name: name, owner: "temporal", worker: "temporal"})
		}
	}
	return all
}

// cluster is a PostgreSQL cluster, private or not, seen by its administrator.
type cluster struct {
	admin   *url.URL
	private bool
	secrets string // folder of the passwords
}

// url is how a role reaches a database.
func (c cluster) url(role, password, database string) string {
	u := *c.admin
	u.User = url.UserPassword(role, password)
	u.Path = "/" + database
	return u.String()
}

// provision makes the roles and databases that are missing, and makes sure that
// each role can connect to its own database only. It may be repeated at any time.
// It returns the password of each role.
func (c cluster) provision(ctx context.Context, dbs []database) (map[string]string, error) {
	conn, err := pgx.Connect(ctx, c.admin.String())
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL as %s: %w", c.admin.User.Username(), err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	roles, err := names(ctx, conn, "SELECT rolname FROM pg_roles")
	if err != nil {
		return nil, err
	}
	existing, err := names(ctx, conn, "SELECT datname FROM pg_database")
	if err != nil {
		return nil, err
	}
	passwords := map[string]string{}
	for _, db := range dbs {
		for _, role := range []string{db.owner, db.worker} {
			if _, done := passwords[role]; done {
				continue
			}
			if passwords[role], err = c.role(ctx, conn, role, slices.Contains(roles, role)); err != nil {
				return nil, err
			}
		}
		if err := createDatabase(ctx, conn, db, slices.Contains(existing, db.name)); err != nil {
			return nil, err
		}
	}
	if c.private { // an outer cluster's own databases are its administrator's business
		for _, name := range []string{"postgres", "template1"} {
			if err := run(ctx, conn, "REVOKE ALL ON DATABASE %s FROM PUBLIC", name); err != nil {
				return nil, err
			}
		}
	}
	return passwords, nil
}

// role makes a role that is missing and returns its password. A new password is
// kept only when the cluster has it, and replaces the one of a role that is there
// already (a new data directory on an old cluster, or a start that was cut short).
func (c cluster) role(ctx context.Context, conn *pgx.Conn, role string, exists bool) (string, error) {
	path := filepath.Join(c.secrets, role)
	password, known, err := secret(path)
	if err != nil || known && exists {
		return password, err
	}
	if !known {
		password = newSecret()
	}
	statement := "CREATE ROLE %s LOGIN PASSWORD '" + password + "'"
	if exists {
		statement = "ALTER ROLE %s LOGIN PASSWORD '" + password + "'"
	}
	if err := run(ctx, conn, statement, role); err != nil {
		return "", err
	}
	return password, keepSecret(path, password)
}

func createDatabase(ctx context.Context, conn *pgx.Conn, db database, exists bool) error {
	if !exists {
		// an administrator who is no superuser gives away only to roles that it is a member of
		var member bool
		err := conn.QueryRow(ctx, "SELECT pg_has_role(current_user, $1, 'MEMBER')", db.owner).Scan(&member)
		if err == nil && !member {
			err = run(ctx, conn, "GRANT %s TO CURRENT_USER", db.owner)
		}
		if err == nil {
			err = run(ctx, conn, "CREATE DATABASE %s OWNER %s ENCODING 'UTF8' TEMPLATE template0", db.name, db.owner)
		}
		if err != nil {
			return fmt.Errorf("database %s: %w", db.name, err)
		}
	}
	if err := run(ctx, conn, "REVOKE ALL ON DATABASE %s FROM PUBLIC", db.name); err != nil {
		return err
	}
	return run(ctx, conn, "GRANT CONNECT, TEMPORARY ON DATABASE %s TO %s", db.name, db.worker)
}

// run runs a statement with names put in.
func run(ctx context.Context, conn *pgx.Conn, statement string, identifiers ...string) error {
	quoted := make([]any, len(identifiers))
	for i, name := range identifiers {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf(statement, quoted...)); err != nil {
		verb, _, _ := strings.Cut(statement, " PASSWORD")
		return fmt.Errorf("%s: %w (the user needs the rights to create roles and databases)", fmt.Sprintf(verb, quoted...), err)
	}
	return nil
}

func names(ctx context.Context, conn *pgx.Conn, query string) ([]string, error) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return found, nil
}

// secret reads a password; the second result is false if there is none yet.
func secret(path string) (string, bool, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the password in %s: %w", filepath.Base(path), err)
	}
	return strings.TrimSpace(string(raw)), true, nil
}

// newSecret generates a password of letters and digits: nothing in it needs escaping.
func newSecret() string { return rand.Text() }

func keepSecret(path, password string) error { return writeFile(path, []byte(password+"\n"), 0o600) }
