package postgres

import (
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child that ends with us.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended; err is set then
	err  error
}

// startProcess starts the command. Where the system can, the kernel sends it the signal
// last when this process ends, however it ends.
func startProcess(command *exec.Cmd, last syscall.Signal) (*process, error) {
	signalAtEnd(command.SysProcAttr, last)
	command.WaitDelay = time.Second // grandchildren may hold the output open
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel's signal follows the end of the thread that made the child, not of
		// the process: this thread stays with the child for life.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		if err == nil {
			p.pid = command.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// end sends the signal and reports whether the process has ended within limit.
func (p *process) end(ctx context.Context, signal syscall.Signal, limit time.Duration) bool {
	select {
	case <-p.done: // its number may be another's by now
		return true
	default:
		_ = syscall.Kill(p.pid, signal)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
