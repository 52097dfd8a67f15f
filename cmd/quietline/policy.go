package main

import (
	"fmt"
	"os"
	"strings"

	"quietline/internal/access"
)

// policyCmd prints the access matrix as the protos declare it.
type policyCmd struct{}

// Run prints one row an RPC, as a Markdown table: the README's table is this output.
func (policyCmd) Run() error {
	_, err := fmt.Fprint(os.Stdout, matrix())
	return err
}

func matrix() string {
	var b strings.Builder
	b.WriteString("| RPC | workloads | roles |\n| --- | --- | --- |\n")
	for _, row := range access.Matrix() {
		service := row.Service[strings.LastIndex(row.Service, ".")+1:]
		fmt.Fprintf(&b, "| %s.%s | %s | %s |\n", strings.TrimSuffix(service, "Service"), row.Method,
			names(row.Callers, "CALLER_"), names(row.Roles, "ROLE_"))
	}
	return b.String()
}

func names[E fmt.Stringer](values []E, prefix string) string {
	short := make([]string, len(values))
	for i, v := range values {
		short[i] = strings.TrimPrefix(v.String(), prefix)
	}
	return strings.Join(short, " ")
}
