package activities

import "fmt"

// PeriodQueue is the task queue of the workflows and of everything that no rail limits.
const PeriodQueue = "guerdon"

// CalculationQueue is the task queue of the shards of calculations: a worker takes no more of
// them at a time than it has processors, so that what it needs of memory has a bound.
const CalculationQueue = "guerdon-calculation"

// RailQueue is the task queue of the calls to a rail, so that the rail's rate limit holds
// for all workers together.
func RailQueue(rail string) string { return "rail-" + rail }

// PayPeriodID is the workflow id of one revision of a pay period.
func PayPeriodID(periodID string, revision int) string {
	return fmt.Sprintf("pay-period/%s/%d", periodID, revision)
}

// CalculationID is the workflow id of what calculates a run of a revision in shards.
func CalculationID(periodID string, revision int, runID int64) string {
	return fmt.Sprintf("calculate/%s/%d/%d", periodID, revision, runID)
}

// ApprovalID is the workflow id of one approval queue: all that waits for one approver,
// whatever the level.
func ApprovalID(periodID string, revision int, queue string) string {
	return fmt.Sprintf("approval/%s/%d/%s", periodID, revision, queue)
}

// DisputeID is the workflow id of a dispute.
func DisputeID(id string) string { return "dispute/" + id }

// DisburseID is the workflow id of what a revision pays by one rail.
func DisburseID(periodID string, revision int, rail string) string {
	return fmt.Sprintf("disburse/%s/%d/%s", periodID, revision, rail)
}

// ArchiveID is the workflow id of what archives a revision of a pay period.
func ArchiveID(periodID string, revision int) string {
	return fmt.Sprintf("archive/%s/%d", periodID, revision)
}

// ArchiveDisputeID is the workflow id of what archives a dispute.
func ArchiveDisputeID(id string) string { return "archive/" + DisputeID(id) }

// StatusFileID is the workflow id of what applies a bank's file.
func StatusFileID(fileID string) string { return "status-file/" + fileID }

// RailEventID is the workflow id of what applies an event of a rail.
func RailEventID(rail, eventID string) string { return "rail-event/" + rail + "/" + eventID }

// PrenotesID is the workflow id of what waits for what comes back of a file of prenotes.
func PrenotesID(fileID string) string { return "prenotes/" + fileID }

// RecallID is the workflow id of what has a rail give a payout back.
func RecallID(id string) string { return "recall/" + id }

// ReconciliationID is the workflow id of what compares each day of a rail.
func ReconciliationID(rail string) string { return "reconciliation/" + rail }

// VerificationID is the workflow id of a verification.
func VerificationID(id int64) string { return fmt.Sprintf("verification/%d", id) }

// RedemptionID is the workflow id of a reward that somebody takes for points.
func RedemptionID(id string) string { return "redemption/" + id }

// PointsID is the workflow id of what lets points expire.
const PointsID = "points"

// DealRemindersID is the workflow id of what reminds people of entered deals.
const DealRemindersID = "deal-reminders"

// NotificationsID is the workflow id of what sends people what they are told.
const NotificationsID = "notifications"

// BatchID is the workflow id of one batch of a disbursement.
func BatchID(periodID string, revision int, rail string, number int) string {
	return fmt.Sprintf("%s/%d", DisburseID(periodID, revision, rail), number)
}
