package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// logLimit bounds each server's log; as much again is kept of what came before.
const logLimit = 16 << 20

// openLog opens a child's log. Children write to the file itself, not through us:
// their last words are not lost when we are killed first.
func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// BoundLog makes room in a log before it is opened (in append mode: Stack goes on
// bounding every *.log of the log folder while it runs).
func BoundLog(path string) error {
	if err := boundLog(path, logLimit); err != nil {
		return fmt.Errorf("bound log: %w", err)
	}
	return nil
}

// boundLogs keeps the logs of a folder small until ctx ends.
func boundLogs(ctx context.Context, dir string) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		paths, _ := filepath.Glob(filepath.Join(dir, "*.log")) // fails on bad patterns only
		for _, path := range paths {
			if err := BoundLog(path); err != nil {
				slog.WarnContext(ctx, "log", slog.String("error", err.Error()))
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// boundLog copies a log that has grown past limit to <path>.1 and empties it. The
// child keeps its file open in append mode, so a rename would not do.
func boundLog(path string, limit int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() <= limit {
		return err
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	// the newest part counts if it has grown past twice the limit between two looks
	if _, err := from.Seek(max(0, info.Size()-limit), io.SeekStart); err != nil {
		return err
	}
	to, err := os.OpenFile(path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close(), os.Truncate(path, 0))
}

// tail returns the last n lines of a log.
func tail(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return "(no log)"
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 16<<10 {
		_, _ = f.Seek(-16<<10, io.SeekEnd)
	}
	raw, _ := io.ReadAll(f)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for i, line := range lines {
		line, _, _ = strings.Cut(line, `,"logging-call-at"`) // Temporal's stack traces stay in the file
		lines[i] = line[:min(len(line), 600)]
	}
	return "  " + strings.Join(lines[max(0, len(lines)-n):], "\n  ")
}
