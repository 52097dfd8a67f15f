package portability

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// File is a table of portings in a CSV file: number, operator_id, from[, to]. It is read into memory, and read anew in the
// background when the file has changed; until then, and when the new one cannot be read, the old one answers. Put the file
// in place by renaming.
type File struct {
	name string
	now  func() time.Time

	held    atomic.Pointer[version]
	looked  atomic.Int64 // when the file was last looked at
	loading sync.Mutex
}

// version is a table and what its file looked like.
type version struct {
	*table
	info os.FileInfo
}

// every is how often the file is looked at, at most.
const every = 5 * time.Second

// Open reads a file; one that cannot be read is refused.
func Open(name string) (*File, error) {
	f := &File{name: name, now: time.Now}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// ServedBy says who served a number at a time.
func (f *File) ServedBy(_ context.Context, number string, at time.Time) (Porting, bool, error) {
	f.look()
	key, ok := keyOf(number)
	if !ok {
		return Porting{}, false, nil
	}
	second, err := clamp(at)
	if err != nil {
		return Porting{}, false, nil //nolint:nilerr // no porting holds at such a time
	}
	p, ok := f.held.Load().servedBy(key, second)
	return p, ok, nil
}

// look starts a new reading when the file has changed. Questions do not wait for it.
func (f *File) look() {
	now, last := f.now().UnixNano(), f.looked.Load()
	if now-last < int64(every) || !f.looked.CompareAndSwap(last, now) || !f.changed() {
		return
	}
	go f.refresh()
}

func (f *File) changed() bool {
	info, err := os.Stat(f.name)
	was := f.held.Load().info
	return err != nil || !os.SameFile(info, was) || info.Size() != was.Size() || !info.ModTime().Equal(was.ModTime())
}

// refresh reads the file anew; somebody who does so already is enough.
func (f *File) refresh() {
	if !f.loading.TryLock() {
		return
	}
	defer f.loading.Unlock()
	if err := f.load(); err != nil {
		slog.Error("the portability table cannot be read; the former one stays in force", slog.Any("error", err))
		return
	}
	slog.Info("the portability table has changed", slog.Int("portings", f.held.Load().Len()))
}

func (f *File) load() error {
	file, err := os.Open(f.name)
	if err != nil {
		return fmt.Errorf("portability table: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("portability table: %w", err)
	}
	t, err := read(file)
	if err != nil {
		return fmt.Errorf("portability table %s: %w", f.name, err)
	}
	f.held.Store(&version{table: t, info: info})
	f.looked.Store(f.now().UnixNano())
	return nil
}
