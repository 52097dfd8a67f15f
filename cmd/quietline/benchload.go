package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"quietline/gateway/client"
	"quietline/gateway/issuer"
)

// benchLoadCmd is the child process that puts load on a mesh: one job from standard input, its result to standard output.
type benchLoadCmd struct{}

// benchJob is one round of load.
type benchJob struct {
	Kind    string        // one of benchLoads
	Gateway string        // URL
	Data    string        // data directory, for demo accounts and the authority of the certificates
	Address string        // of a service or a baseline, when the gateway is not called
	Clients int           // calls at the same time
	Span    time.Duration // how long; 0: until Count
	Count   int           // how many
	First   int           // number of the first thing: no two rounds file the same
}

// benchResult is what came of it.
type benchResult struct {
	Done     int
	Warm     int // calls before the measured ones, which take processor time too
	Failed   int
	Error    string  // of the first call that failed
	Seconds  float64 // that the load took, without connecting and warming up
	P50, P99 float64 // milliseconds from call to answer
	CPU      float64 // seconds of processor time of the child, without its start
	Items    int     // complaints that reached their feedback, where Done counts decisions
}

func (r benchResult) perSecond() float64 {
	if r.Seconds == 0 {
		return 0
	}
	return float64(r.Done) / r.Seconds
}

// benchLoads are the kinds of load, each next to its baseline.
var benchLoads = map[string]func(context.Context, benchJob) (benchResult, error){
	"file":     fileThroughGateway,
	"file-raw": fileStraight,
	"allocate": allocateMany,
	"lookup":   lookUp,
	"import":   importRows,
	"marks":    importMarks,
	"drive":    driveToFeedback,
	"settle":   driveToEnd,
}

// Run does the job.
func (benchLoadCmd) Run(ctx context.Context) error {
	var job benchJob
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
		return fmt.Errorf("bench-load is started by bench: %w", err)
	}
	run := benchLoads[job.Kind]
	if run == nil {
		return fmt.Errorf("bench-load knows no %q", job.Kind)
	}
	before := ownTime()
	result, err := run(ctx, job)
	if err != nil {
		return err
	}
	result.CPU = ownTime() - before
	return json.NewEncoder(os.Stdout).Encode(result)
}

// load has a child process do a job.
func (b *bench) load(ctx context.Context, job benchJob) (benchResult, error) {
	var result benchResult
	self, err := os.Executable()
	if err != nil {
		return result, err
	}
	job.Gateway, job.Data = b.mesh.Gateway, b.mesh.Data
	input, err := json.Marshal(job)
	if err != nil {
		return result, err
	}
	cmd := exec.CommandContext(ctx, self, "bench-load")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	output, err := cmd.Output()
	if err != nil {
		return result, fmt.Errorf("load %q: %w", job.Kind, err)
	}
	if err := json.Unmarshal(output, &result); err != nil {
		return result, fmt.Errorf("load %q: %w", job.Kind, err)
	}
	return result, nil
}

// benchWarm is how many calls each client makes before it is measured: connections, tokens, statements and caches.
const benchWarm = 20

// pound makes calls from all clients at once, each its next when the last is answered, for the job's time or number of
// calls. do is told the client and the number of the call.
func pound(ctx context.Context, job benchJob, do func(ctx context.Context, client, number int) error) (benchResult, error) {
	var (
		next    atomic.Int64
		mu      sync.Mutex
		result  benchResult
		took    []time.Duration
		clients sync.WaitGroup
		warm    sync.WaitGroup
	)
	warm.Add(job.Clients)
	began, end := make(chan struct{}), time.Time{}
	for client := range job.Clients {
		clients.Go(func() {
			var mine []time.Duration
			var failed int
			var first error
			for n := 0; n < benchWarm && job.Span > 0; n++ {
				if err := do(ctx, client, job.First+int(next.Add(1))); err != nil && first == nil {
					first = err
				}
			}
			warm.Done()
			<-began
			for ctx.Err() == nil {
				number := int(next.Add(1))
				at := time.Now()
				if job.Span > 0 && at.After(end) || job.Span == 0 && number > job.Count {
					break
				}
				if err := do(ctx, client, job.First+number); err != nil {
					if first == nil {
						first = err
					}
					if failed++; failed == 10 {
						break
					}
					continue
				}
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			result.Failed += failed
			if first != nil && result.Error == "" {
				result.Error = sentence(first)
			}
		})
	}
	warm.Wait()
	result.Warm = int(next.Load())
	start := time.Now()
	end = start.Add(job.Span)
	close(began)
	clients.Wait()
	result.Seconds = time.Since(start).Seconds()
	result.Done = len(took)
	result.P50, result.P99 = share(took, 0.50), share(took, 0.99)
	return result, ctx.Err()
}

// share is the time in milliseconds within which a share of calls was answered.
func share(took []time.Duration, part float64) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return float64(took[int(part*float64(len(took)-1))].Microseconds()) / 1000
}

// benchConnections share the clients of a load among them: one connection is one reader and one writer at each end.
const benchConnections = 4

// connections are several connections, used in turn by the clients.
type connections []*grpc.ClientConn

func dialSeveral(dial func(n int) (*grpc.ClientConn, error)) (connections, error) {
	var all connections
	for n := range benchConnections {
		conn, err := dial(n)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, conn)
	}
	return all, nil
}

func (c connections) of(client int) *grpc.ClientConn { return c[client%len(c)] }

func (c connections) close() {
	for _, conn := range c {
		_ = conn.Close()
	}
}

// senders are connections to the gateway, each as another subject of one account: no subject reaches its limit.
func senders(job benchJob, role, agency string) (connections, error) {
	return dialSeveral(func(n int) (*grpc.ClientConn, error) {
		token, err := issuer.Source(job.Data, job.Gateway, role, agency, fmt.Sprintf("bench-%d", n))
		if err != nil {
			return nil, err
		}
		return client.Dial(job.Gateway, token)
	})
}
