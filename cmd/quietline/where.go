package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"quietline/internal/identity"
)

// whereFile, in the data directory, says where the mesh serves that runs on it.
const whereFile = "mesh.json"

// where is what runs, and where. Addresses are no secrets: each takes only the mesh's own certificates.
type where struct {
	Gateway  string            `json:"gateway"`
	Services map[string]string `json:"services,omitempty"`
	Temporal string            `json:"temporal,omitempty"`
	Process  int               `json:"process,omitempty"`
	Profile  string            `json:"profile,omitempty"`
}

// where lists the targets of a running mesh.
func (m *mesh) where() (where, error) {
	options, err := m.stack.Temporal(identity.Workflows)
	return where{Gateway: m.URL, Services: m.backends(), Temporal: options.HostPort, Process: os.Getpid()}, err
}

func (w where) write(data string) error {
	raw, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, whereFile), append(raw, '\n'), 0o644) //nolint:gosec // see where
}

// readWhere is what the data directory says; nothing when no mesh ever ran on it.
func readWhere(data string) (w where) {
	raw, err := os.ReadFile(filepath.Join(data, whereFile))
	if err != nil || json.Unmarshal(raw, &w) != nil {
		return where{}
	}
	return w
}
