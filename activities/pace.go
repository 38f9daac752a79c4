package activities

import "time"

// Pace is how many times shorter than in production the waits of activities and workflows
// are: for a missed heartbeat, between tries, until a rail is asked again. Whoever kills
// processes by the hundred sets it before a worker starts; in production it is 1.
var Pace = 1

// Wait is a wait at the Pace.
func Wait(inProduction time.Duration) time.Duration { return inProduction / time.Duration(Pace) }
