package workflows_test

import (
	"time"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// patience is how long workflow code may take between two of its steps: with the race detector,
// on a machine that is busy, longer than the second that it is given otherwise.
const patience = time.Minute

// newEnvironment runs workflows in a time that is skipped where nothing happens.
func newEnvironment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: patience})
	return env
}
