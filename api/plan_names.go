package api

import (
	"context"
	"sync"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
	"github.com/guerdon/guerdon/store"
)

// planNames remembers what each version of a plan is called, which its document says. A version
// never changes, so that none is read twice.
type planNames struct {
	mutex     sync.Mutex
	byVersion map[store.PlanVersionID]string
}

// name returns what a version of a plan is called: its id where the document cannot be read any
// more, so that it can still be listed.
func (n *planNames) name(v incentive.PlanVersion) string {
	id := store.PlanVersionID{PlanID: v.PlanID, Version: v.Version}
	if name, known := n.known(id); known {
		return name
	}
	name := v.PlanID
	if p, err := plan.Parse(v.Document); err == nil {
		name = p.Name
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.byVersion == nil {
		n.byVersion = map[store.PlanVersionID]string{}
	}
	n.byVersion[id] = name
	return name
}

func (n *planNames) known(id store.PlanVersionID) (string, bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	name, known := n.byVersion[id]
	return name, known
}

// planOf returns what the version of a line's plan is called; nothing where the line is of none.
func (s *server) planOf(ctx context.Context, line incentive.Line) (string, error) {
	if line.PlanID == "" {
		return "", nil
	}
	id := store.PlanVersionID{PlanID: line.PlanID, Version: line.PlanVersion}
	if name, known := s.plans.known(id); known {
		return name, nil
	}
	versions, err := s.Store.Plans(ctx, line.PlanID)
	if err != nil {
		return "", err
	}
	for _, v := range versions {
		s.plans.name(v)
	}
	name, known := s.plans.known(id)
	if !known {
		name = line.PlanID
	}
	return name, nil
}
