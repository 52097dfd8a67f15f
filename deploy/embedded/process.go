package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// step is one way of asking a process to end, and how long it is given.
type step struct {
	signal syscall.Signal
	grace  time.Duration
}

// process is a child that is kept running until stop.
type process struct {
	name    string
	command func() *exec.Cmd            // a fresh command for every start
	orphan  syscall.Signal              // sent by the kernel when we die
	steps   []step                      // how it is stopped: gentle first
	record  string                      // file that says who runs, for the next start
	log     string                      // file that takes its output
	await   func(context.Context) error // what must answer before a restart makes sense; may be nil

	mu       sync.Mutex
	cmd      *exec.Cmd
	done     chan struct{} // closed when cmd has ended
	stopping bool
	halt     context.CancelFunc // ends a supervisor's waiting
}

// The parent-death signal is tied to the *thread* that forked: it fires when that
// thread ends, not the process. So one goroutine, locked to its thread and never
// ending, starts all children.
var spawner = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
})

func onSpawner(start func() error) error {
	result := make(chan error, 1)
	spawner() <- func() { result <- start() }
	return <-result
}

// start starts the child in a process group of its own.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return fmt.Errorf("%s is being stopped", p.name)
	}
	out, err := openLog(p.log)
	if err != nil {
		return err
	}
	defer out.Close() // the child has its own copy
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = p.orphan
	if err := onSpawner(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		_ = cmd.Wait() // how it ended stands in ProcessState
		close(done)
	}()
	if err := writeRecord(p.record, cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		<-done
		return err
	}
	return nil
}

// ended is closed when the child that runs now has ended.
func (p *process) ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// died says how the child ended, with the last lines that it wrote.
func (p *process) died() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%s ended (%s); its last words in %s:\n%s", p.name, p.cmd.ProcessState, p.log, tail(p.log, 12))
}

// A child that dies is started again, unless it keeps dying.
const (
	restartWindow = time.Minute
	restartLimit  = 5
)

// supervise keeps the child running until stop; a child that dies restartLimit
// times within restartWindow is reported and given up.
func (p *process) supervise(failed chan<- error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.mu.Lock()
	p.halt = cancel
	p.mu.Unlock()
	var deaths []time.Time
	for {
		<-p.ended()
		if p.isStopping() {
			return
		}
		err := p.died()
		slog.Error("child process died", slog.String("process", p.name), slog.String("log", p.log))
		now := time.Now()
		deaths = append(deaths, now)
		for now.Sub(deaths[0]) > restartWindow {
			deaths = deaths[1:]
		}
		if len(deaths) < restartLimit {
			err = p.restart(ctx, time.Duration(len(deaths))*500*time.Millisecond)
		}
		if err != nil {
			if !p.isStopping() {
				failed <- err
			}
			return
		}
	}
}

// restart starts the child again after a pause, in which sockets and shared memory
// go away, and after what it needs answers.
func (p *process) restart(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.await != nil {
		if err := p.await(ctx); err != nil {
			return fmt.Errorf("%s died and cannot be started again: %w", p.name, err)
		}
	}
	return p.start()
}

func (p *process) isStopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// stop ends the child, step by step; when ctx ends the steps are hurried, never
// left out.
func (p *process) stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopping = true
	cmd, done, halt := p.cmd, p.done, p.halt
	p.mu.Unlock()
	if halt != nil {
		halt()
	}
	if cmd == nil {
		return nil
	}
	const hurried = 500 * time.Millisecond
	for _, s := range p.steps {
		_ = cmd.Process.Signal(s.signal)
		grace := time.NewTimer(s.grace)
		select {
		case <-done:
		case <-grace.C:
		case <-ctx.Done():
			select {
			case <-done:
			case <-time.After(min(s.grace, hurried)):
			}
		}
		grace.Stop()
		if isClosed(done) {
			return removeRecord(p.record)
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	<-done
	return errors.Join(fmt.Errorf("%s did not stop when asked and was killed", p.name), removeRecord(p.record))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// removeRecord forgets who ran.
func removeRecord(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the record of a stopped process: %w", err)
	}
	return nil
}
