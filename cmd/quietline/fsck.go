package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc"
)

// errBroken makes a command exit with 1 after it has printed what is wrong.
var errBroken = errors.New("what is printed is wrong")

// settle is how long fsck waits before it looks again at what seems broken: a living mesh moves between two pages.
const settle = 2 * time.Second

// fsckCmd joins the audit pages of all owners.
type fsckCmd struct {
	remote
	As   string `help:"Account that may audit." default:"AUDITOR@miit"`
	JSON bool   `help:"Print one JSON object." name:"json"`
}

// report is what fsck found.
type fsckReport struct {
	Complaints int      `json:"complaints"`
	Backlog    int      `json:"backlog"`
	OpenTasks  int      `json:"open_tasks"`
	Listings   int      `json:"listings"`
	Published  int      `json:"publications"`
	Undisposed int      `json:"undisposed"`  // substantiated, and nothing followed yet
	ListedLate int      `json:"listed_late"` // entered, or still not entered, after the 30 days
	Broken     []string `json:"broken"`
}

// Run prints what is broken, and fails when anything is.
func (c fsckCmd) Run(ctx context.Context) error {
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	found, err := fsck(ctx, conn)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
			return err
		}
	} else {
		found.print()
	}
	if len(found.Broken) > 0 {
		return errBroken
	}
	return nil
}

func (r *fsckReport) print() {
	fmt.Printf("checked %d complaints (%d waiting to start), %d open tasks, %d listings, %d publications\n",
		r.Complaints, r.Backlog, r.OpenTasks, r.Listings, r.Published)
	if r.Undisposed > 0 {
		fmt.Printf("%d substantiated findings wait for a disposition (查实未处置)\n", r.Undisposed)
	}
	if r.ListedLate > 0 {
		fmt.Printf("%d entries of the credit lists came after their 30 days, or are overdue (逾期列入)\n", r.ListedLate)
	}
	for _, sentence := range r.Broken {
		fmt.Println("  broken:", sentence)
	}
	if len(r.Broken) == 0 {
		fmt.Println("nothing found")
	}
}

// fsck runs up to three passes: what is broken must be broken in each of them.
func fsck(ctx context.Context, conn grpc.ClientConnInterface) (*fsckReport, error) {
	var last *fsckReport
	for range 3 {
		pass, err := audit(ctx, conn)
		if err != nil {
			return nil, err
		}
		if last != nil {
			pass.Broken = slices.DeleteFunc(pass.Broken, func(s string) bool { return !slices.Contains(last.Broken, s) })
		}
		if len(pass.Broken) == 0 {
			return pass, nil
		}
		last = pass
		select {
		case <-time.After(settle):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return last, nil
}
