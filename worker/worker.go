// Package worker registers workflows and activities on their task queues and runs them.
package worker

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// Config is what a worker needs.
type Config struct {
	Client client.Client
	// Namespace is that of Client; "" is the SDK's own.
	Namespace string

	Store *store.Store
	Rails payments.Registry
	Log   *slog.Logger

	Messenger *messenger.Messenger // nil sends nothing
	Quiet     time.Duration        // for which something else is waited for that comes with a message; 0 for 20 s
	Pages     string               // where people find the pages, for links; "" where that is not known

	// CreditsPerShard is how many credits a shard of a calculation has; 0: as many as do well.
	CreditsPerShard int
}

// quiet is how long something else is waited for that would come with a message.
const quiet = 20 * time.Second

// Run works until ctx ends, then lets what is under way finish for up to ten seconds. At
// the start it makes sure that every period and dispute under way has its workflow, as one that
// was opened just before a crash may not, and that each rail is compared with our record day
// by day, and that each verification asked for is made. Meanwhile it keeps estimates up to date.
// While database or Temporal are away it waits for them. Nothing is sent by a rail before it was
// looked what that rail has done since the last payment on record.
func Run(ctx context.Context, config Config) error {
	config.Namespace = cmp.Or(config.Namespace, client.DefaultNamespace)
	shared := &activities.Activities{Store: config.Store, Rails: config.Rails, Client: config.Client, Now: time.Now, Replay: Replay,
		Messenger: config.Messenger, Pages: config.Pages, Quiet: cmp.Or(config.Quiet, quiet), CreditsPerShard: config.CreditsPerShard}
	var lock sync.Mutex
	var workers []worker.Worker
	start := func(make func() worker.Worker) {
		config.insist(ctx, "start a worker", func() error {
			w := make()
			if err := w.Start(); err != nil {
				return err
			}
			lock.Lock()
			defer lock.Unlock()
			workers = append(workers, w)
			return nil
		})
	}
	var starting sync.WaitGroup
	defer func() {
		starting.Wait()
		for _, w := range workers {
			w.Stop()
		}
	}()
	start(func() worker.Worker {
		w := worker.New(config.Client, activities.PeriodQueue, worker.Options{WorkerStopTimeout: 10 * time.Second, StickyScheduleToStartTimeout: activities.Wait(5 * time.Second)})
		Register(w, shared)
		return w
	})
	start(func() worker.Worker {
		w := worker.New(config.Client, activities.CalculationQueue, worker.Options{
			DisableWorkflowWorker:              true,
			MaxConcurrentActivityExecutionSize: runtime.GOMAXPROCS(0),
			WorkerStopTimeout:                  10 * time.Second,
		})
		w.RegisterActivity(shared.MeasureShard)
		w.RegisterActivity(shared.CalculateShard)
		return w
	})
	rails := following{Config: config, begun: map[string]bool{}, begin: func(rail string) {
		starting.Go(func() {
			config.insist(ctx, "look what "+rail+" has done", func() error { return shared.Sweep(ctx, rail) })
			if ctx.Err() != nil {
				return
			}
			start(func() worker.Worker {
				// Temporal spreads the limit over all workers of the queue, and a partition of the queue
				// that nobody asks gives none of its share: there are as many pollers as it has use for.
				w := worker.New(config.Client, activities.RailQueue(rail), worker.Options{
					DisableWorkflowWorker:        true,
					ActivityTaskPollerBehavior:   worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
					WorkerStopTimeout:            10 * time.Second,
					TaskQueueActivitiesPerSecond: config.Rails.PerSecond(rail),
				})
				w.RegisterActivity(shared.SubmitPayout)
				w.RegisterActivity(shared.AskAfter)
				w.RegisterActivity(shared.Probe)
				w.RegisterActivity(shared.ApplyRailEvent)
				w.RegisterActivity(shared.Reconcile)
				w.RegisterActivity(shared.Recall)

				w.RegisterActivity(shared.Redeem)
				return w
			})
		})
	}}
	config.insist(ctx, "begin with the rails", func() error { return rails.look(ctx) })
	var running []store.PeriodRevision
	disputes := 0
	config.insist(ctx, "start the workflows of what is under way", func() (err error) {
		if running, err = config.Store.RunningPeriods(ctx); err != nil {
			return err
		}
		for _, p := range running {
			if err := workflows.StartPayPeriod(ctx, config.Client, p.ID, p.Revision); err != nil {
				return err
			}
		}
		if disputes, err = startDisputes(ctx, config); err != nil {
			return err
		}
		if err := startVerifications(ctx, config); err != nil {
			return err
		}
		if err := startRecalls(ctx, config); err != nil {
			return err
		}
		if err := startRedemptions(ctx, config); err != nil {
			return err
		}
		if err := startPrenotes(ctx, config); err != nil {
			return err
		}
		if err := workflows.StartDealReminders(ctx, config.Client); err != nil {
			return err
		}
		if config.Messenger != nil {
			return workflows.StartNotifications(ctx, config.Client)
		}
		return nil
	})
	var keeping sync.WaitGroup
	keeping.Go(func() { config.keepEstimates(ctx) })
	keeping.Go(func() { config.keepRates(ctx) })
	keeping.Go(func() { rails.keep(ctx) })
	defer keeping.Wait()
	config.Log.InfoContext(ctx, "worker is ready", "rails", config.Rails.Names(), "periods", len(running), "disputes", disputes)
	<-ctx.Done()
	return nil
}

// insist does something that needs the database or Temporal until it is done, or ctx ends.
func (config Config) insist(ctx context.Context, what string, do func() error) {
	for wait := time.Second; ; wait = min(2*wait, longestRest) {
		err := do()
		if err == nil || ctx.Err() != nil {
			return
		}
		config.Log.ErrorContext(ctx, "could not "+what, "error", err)
		select {
		case <-time.After(activities.Wait(wait)):
		case <-ctx.Done():
			return
		}
	}
}

// startDisputes starts what looks after each dispute under way and returns how many there
// are.
func startDisputes(ctx context.Context, config Config) (n int, err error) {
	const page = 500
	for after := ""; ; {
		disputes, err := config.Store.RunningDisputes(ctx, after, page)
		if err != nil {
			return n, err
		}
		for _, d := range disputes {
			if err := workflows.StartDispute(ctx, config.Client, d.ID, d.PeriodID); err != nil && ctx.Err() == nil {
				return n, err
			}
			after = d.ID
		}
		if n += len(disputes); len(disputes) < page {
			return n, nil
		}
	}
}

// startVerifications starts each verification that was asked for and has no result.
func startVerifications(ctx context.Context, config Config) error {
	const page = 500
	for after := int64(0); ; {
		ids, err := config.Store.UnfinishedVerifications(ctx, after, page)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := workflows.StartVerification(ctx, config.Client, id); err != nil && ctx.Err() == nil {
				return err
			}
			after = id
		}
		if len(ids) < page {
			return nil
		}
	}
}

// startRecalls starts what has rails give back what a second person has confirmed.
func startRecalls(ctx context.Context, config Config) error {
	open, err := config.Store.OpenRecalls(ctx)
	if err != nil {
		return err
	}
	for id, rail := range open {
		if err := workflows.StartRecall(ctx, config.Client, id, rail); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// startPrenotes starts the waiting for what comes back of files of prenotes, and lets accounts be paid untried
// where their rail does not ask for prenotes any more.
func startPrenotes(ctx context.Context, config Config) error {
	waiting, err := config.Store.PrenotesUnderWay(ctx)
	if err != nil {
		return err
	}
	for _, id := range waiting {
		if err := workflows.StartPrenotes(ctx, config.Client, id); err != nil && ctx.Err() == nil {
			return err
		}
	}
	for _, name := range config.Rails.Names() {
		rail, err := config.Rails.Rail(name)
		if err != nil || payments.Tries(rail) {
			continue
		}
		tell, err := config.Store.StopTrying(ctx, name)
		if err != nil {
			return err
		}
		for _, d := range tell {
			if err := workflows.TellDisbursement(ctx, config.Client, d.PeriodID, d.Revision, d.Rail); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// startRedemptions starts what orders each reward under way and, where points are paid, what lets them
// expire.
func startRedemptions(ctx context.Context, config Config) error {
	const page = 500
	for after, more := "", true; more; {
		all, err := config.Store.RunningRedemptions(ctx, after, page)
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := workflows.StartRedemption(ctx, config.Client, r.ID, r.Rail); err != nil && ctx.Err() == nil {
				return err
			}
			after = r.ID
		}
		more = len(all) == page
	}
	if _, err := config.Rails.Rail(incentive.PointsRail); err != nil {
		return nil
	}
	return workflows.StartExpirePoints(ctx, config.Client)
}

// Register registers every workflow and activity on a worker of the period queue.
func Register(w worker.Registry, a *activities.Activities) {
	workflows.Register(w)
	w.RegisterActivity(a)
}
