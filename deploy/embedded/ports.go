package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
)

// Temporal keeps its members' ports in a 16-bit signed column; below the range that
// systems hand out to outgoing connections they are also rarely taken.
const (
	firstPort = 20000
	lastPort  = 32000
)

// freePorts finds free ports on the loopback address, the same ones as last time
// if they still are.
func freePorts(path string, n int) ([]int, error) {
	var ports []int
	if raw, err := os.ReadFile(path); err == nil && json.Unmarshal(raw, &ports) == nil && len(ports) == n && allFree(ports) {
		return ports, nil
	}
	for range 100 {
		ports = nil
		base := firstPort + rand.IntN(lastPort-firstPort-n)
		for i := range n {
			ports = append(ports, base+i)
		}
		if allFree(ports) {
			raw, err := json.Marshal(ports)
			if err != nil {
				return nil, fmt.Errorf("ports of Temporal: %w", err)
			}
			return ports, writeFile(path, append(raw, '\n'), 0o600)
		}
	}
	return nil, fmt.Errorf("no %d free ports for Temporal between %d and %d", n, firstPort, lastPort)
}

func allFree(ports []int) bool {
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// Listen listens on an address that the user chose with a flag, and says clearly
// what to do when another program has it.
func Listen(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program (perhaps another quietline): stop that one, or choose another address with %s", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port above 1023 with %s", address, flag)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}
