package workflows_test

import (
	"testing"

	"github.com/guerdon/guerdon/store/storetest"
)

func TestMain(m *testing.M) { storetest.RunFewer(m) }
