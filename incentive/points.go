package incentive

import "time"

// PointsRail is the rail that pays points. It is part of workflow ids, task queues and ledger accounts.
const PointsRail = "points"

// Collection is points that somebody was paid at a time. A point is worth the smallest unit of the
// currency in which it was earned, such as a cent, so that nothing is lost between the two.
type Collection struct {
	ID        string
	Reference string // of the attempt by which they were paid
	Amount    Money  // what they are worth: as many points as it has minor units
	At        time.Time
}
