package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func signalAtEnd(attributes *syscall.SysProcAttr, signal syscall.Signal) {
	attributes.Pdeathsig = signal
}

// isServerOn tells whether the process is a PostgreSQL server on the data directory,
// which is its working directory.
func isServerOn(pid int, data string) bool {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return false
	}
	working, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	// An upgrade of the package while the server ran leaves the suffix.
	return filepath.Base(strings.TrimSuffix(program, " (deleted)")) == "postgres" && working == data
}
