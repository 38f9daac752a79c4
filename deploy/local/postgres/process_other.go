//go:build unix && !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// signalAtEnd: the system has no such signal; a server left behind by a killed process is
// taken over by the next start.
func signalAtEnd(*syscall.SysProcAttr, syscall.Signal) {}

// isServerOn tells whether the process is a PostgreSQL server on the data directory, by
// the command line that we start it with.
func isServerOn(pid int, data string) bool {
	output, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	line := string(output)
	return err == nil && strings.Contains(line, "postgres -D "+data+" ")
}
