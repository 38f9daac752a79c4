package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/xoxoday"
	"github.com/guerdon/guerdon/store"
)

// logbook is what happened in a cycle, with the time since its beginning.
type logbook struct {
	mu    sync.Mutex
	began time.Time
	lines strings.Builder
}

func (l *logbook) say(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		l.began = time.Now()
	}
	fmt.Fprintf(&l.lines, "%8.3f  %s\n", time.Since(l.began).Seconds(), fmt.Sprintf(format, arguments...))
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// tally counts what happened.
type tally struct {
	cycles, payouts, faults, letters, forged, retried, cameBack, recalled, stops, tried, rewards int
	killed                                                                                       map[string]int
}

func (t *tally) add(other tally) {
	if t.killed == nil {
		t.killed = map[string]int{}
	}
	t.cycles, t.payouts, t.faults, t.letters = t.cycles+other.cycles, t.payouts+other.payouts, t.faults+other.faults, t.letters+other.letters
	t.forged, t.retried, t.cameBack, t.stops = t.forged+other.forged, t.retried+other.retried, t.cameBack+other.cameBack, t.stops+other.stops
	t.recalled, t.tried, t.rewards = t.recalled+other.recalled, t.tried+other.tried, t.rewards+other.rewards
	for name, n := range other.killed {
		t.killed[name] += n
	}
}

func (t tally) String() string {
	killed := []string{}
	for _, name := range processes.All {
		if t.killed[name] > 0 {
			killed = append(killed, fmt.Sprintf("%s %d", name, t.killed[name]))
		}
	}
	return fmt.Sprintf("%d payouts, %d faults of calls, %d letters and %d forged, %d stops of rails, %d retried by finance, %d came back, %d taken back by finance, %d accounts tried, %d rewards taken for points; killed: %s",
		t.payouts, t.faults, t.letters, t.forged, t.stops, t.retried, t.cameBack, t.recalled, t.tried, t.rewards, strings.Join(killed, ", "))
}

// cycle pays one period as it is planned, and checks everything.
func (w *world) cycle(ctx context.Context, p plan) (t tally, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	w.log = &logbook{}
	w.log.say("%s", written(p))
	t = tally{cycles: 1, payouts: len(p.Payees), killed: map[string]int{}}
	for _, one := range p.Payees {
		t.faults += len(one.Faults) + len(one.LookUps)
	}
	for _, o := range w.rails {
		o.wire.next(p)
	}
	w.post.next(w.house.URL, w.rails)
	if err := w.hires(ctx, p); err != nil {
		return t, fmt.Errorf("bring the payees in: %w", err)
	}
	if p.Storm != nil && p.Storm.Kind == poor {
		if err := w.rails[p.Storm.Rail].fund(-drained); err != nil {
			return t, err
		}
	}
	d := &desk{
		world:    w,
		plan:     p,
		period:   periodOf(p.Number),
		payees:   map[string]*payee{},
		back:     map[string]bool{},
		answered: map[string]bool{},
		sentBack: map[string]time.Time{},
		spent:    map[string]bool{},
		tally:    &t,
	}
	for i := range p.Payees {
		d.payees[p.Payees[i].ID] = &p.Payees[i]
	}
	released, over := make(chan struct{}), make(chan struct{})
	hanged := make(chan error, 1)
	go func() { hanged <- w.kills(ctx, p, released, over, t.killed) }()
	err = d.pays(ctx, released)
	close(over)
	if killed := <-hanged; err == nil || ctx.Err() == nil {
		err = errors.Join(err, killed)
	}
	if err == nil {
		err = d.after(ctx)
	}
	if err == nil {
		err = w.judge(ctx, d)
	}
	w.post.mu.Lock()
	t.letters, t.forged, w.post.came, w.post.forged = w.post.came, w.post.forged, 0, 0
	w.post.mu.Unlock()
	return t, err
}

// drained is what a poor rail lacks.
const drained = opened*100 - 100

// gateLimit is how long a row is waited for, before which something is to be killed.
const gateLimit = 8 * time.Second

// kills kills what the plan says and starts it again, one after the other.
func (w *world) kills(ctx context.Context, p plan, released, over <-chan struct{}, killed map[string]int) error {
	for _, k := range p.Kills {
		early := k.Process == processes.Postgres
		var gate *processes.Gate
		if k.Point != nil {
			early = early || strings.HasPrefix(k.Point.Table, "temporal.") // a new Temporal waits for the lock of the old one
			var err error
			if gate, err = w.house.Shut(ctx, *k.Point, k.Row); err != nil {
				return err
			}
			waiting, stop := context.WithTimeout(ctx, gateLimit)
			go func() {
				select {
				case <-over:
					stop()
				case <-waiting.Done():
				}
			}()
			err = gate.Reached(waiting)
			stop()
			if err != nil {
				w.log.say("the %s is not killed: nobody came to row %d of %s", k.Process, k.Row, k.Point.Table)
				if err := gate.Remove(ctx); err != nil {
					return err
				}
				continue
			}
		} else {
			select {
			case <-released:
			case <-over:
				return nil
			}
			select {
			case <-time.After(time.Duration(k.After) * time.Millisecond):
			case <-over:
				return nil
			}
		}
		w.log.say("the %s is killed", k.Process)
		killed[k.Process]++
		if err := w.house.Kill(ctx, k.Process); err != nil {
			return err
		}
		if gate != nil && early {
			gate.Open()
		}
		if err := w.house.Start(ctx, k.Process); err != nil {
			return err
		}
		w.log.say("the %s is back", k.Process)
		if gate != nil {
			if err := gate.Remove(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// desk is those who run a cycle's period. They repeat what is not answered.
type desk struct {
	*world
	plan     plan
	period   string
	payees   map[string]*payee
	back     map[string]bool // whose payment has been taken back at the rail
	answered map[string]bool // files of which the bank has said everything
	tally    *tally

	spent map[string]bool // who has taken a reward for points

	sentBack  map[string]time.Time // when the bank had sent an entry of a payee back
	comesLate func() error         // has it send back what it does too late; nil where it has
}

func ask[T any](ctx context.Context, call func(key string) (*http.Response, error)) (T, error) {
	return processes.Ask(ctx, func(key string) (T, error) { return client.Read[T](call(key)) })
}

func (d *desk) act(ctx context.Context, act client.ActRequestAct) error {
	_, err := ask[client.ActAnswer](ctx, func(key string) (*http.Response, error) {
		return d.people["fin1"].ActOnPeriod(ctx, d.period, &client.ActOnPeriodParams{IdempotencyKey: key}, client.ActOnPeriodJSONRequestBody{Act: act})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	d.log.say("%s", act)
	return nil
}

func (d *desk) state(ctx context.Context) (incentive.State, error) {
	p, err := ask[client.Period](ctx, func(string) (*http.Response, error) {
		return d.people["fin1"].GetPeriod(ctx, d.period, &client.GetPeriodParams{})
	})
	if err == nil && p.Problem != nil {
		err = errors.New(*p.Problem)
	}
	return incentive.State(p.State), err
}

// beat is how often somebody looks.
const beat = 60 * time.Millisecond

// until looks again and again until done says so.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		if is, err := done(); err != nil || is {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not come to pass that %s", what)
		}
	}
}

func (d *desk) await(ctx context.Context, want incentive.State) error {
	return until(ctx, fmt.Sprintf("the period is %s", want), func() (bool, error) {
		is, err := d.state(ctx)
		return is == want, err
	})
}

// pays takes the period from open to closed.
func (d *desk) pays(ctx context.Context, released chan<- struct{}) error {
	steps := []func() error{
		func() error {
			_, err := ask[client.Period](ctx, func(key string) (*http.Response, error) {
				return d.people["fin1"].OpenPeriod(ctx, d.period, &client.OpenPeriodParams{IdempotencyKey: key})
			})
			return err
		},
		func() error { return d.triesWhen(ctx, false) },
		func() error { return d.act(ctx, client.ActRequestActLock) },
		func() error { return d.await(ctx, incentive.Calculated) },
		func() error { return d.act(ctx, client.ActRequestActPublish) },
		func() error { return d.act(ctx, client.ActRequestActEndWindow) },
		func() error {
			answer, err := ask[client.DecisionAnswer](ctx, func(key string) (*http.Response, error) {
				return d.people["boss"].Decide(ctx, d.period, &client.DecideParams{IdempotencyKey: key}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved})
			})
			if err == nil && answer.Applied != len(d.payees) {
				err = fmt.Errorf("the decision is answered by %+v", answer)
			}
			return err
		},
		func() error { return d.await(ctx, incentive.Approved) },
		func() error { return d.triesWhen(ctx, true) },
		func() error {
			list, err := d.list(ctx)
			if err != nil {
				return err
			}
			_, err = ask[client.ActAnswer](ctx, func(key string) (*http.Response, error) {
				return d.people["fin2"].ReleasePeriod(ctx, d.period, &client.ReleasePeriodParams{IdempotencyKey: key}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest})
			})
			d.log.say("released")
			close(released)
			return err
		},
		func() error { return d.late() },
		func() error {
			return until(ctx, "everything is paid or given up", func() (bool, error) { return d.look(ctx) })
		},
		func() error { return d.act(ctx, client.ActRequestActClose) },
		func() error { return d.await(ctx, incentive.Closed) },
	}
	for n, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d of the period: %w%s", n+1, err, d.standing())
		}
	}
	return nil
}

func (d *desk) list(ctx context.Context) (client.PayoutList, error) {
	return ask[client.PayoutList](ctx, func(string) (*http.Response, error) {
		return d.people["fin2"].GetPayoutList(ctx, d.period, &client.GetPayoutListParams{})
	})
}

func (d *desk) payouts(ctx context.Context) ([]client.Payout, error) {
	most := 500
	all, err := ask[client.Payouts](ctx, func(string) (*http.Response, error) {
		return d.people["fin1"].ListPayouts(ctx, d.period, &client.ListPayoutsParams{Limit: &most})
	})
	return all.Payouts, err
}

// standing says how the payouts that are not at their end stand, for whoever looks into it.
func (d *desk) standing() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := d.payouts(ctx)
	if err != nil {
		return ""
	}
	text := ""
	for _, one := range all {
		if one.State != "paid" && one.State != "cancelled" {
			text += fmt.Sprintf("\n  %s by %s: %s %s", one.Person, one.Rail, one.State, one.Reason)
		}
	}
	if list, err := d.list(ctx); err == nil {
		for _, stop := range list.Stops {
			text += fmt.Sprintf("\n  %s is stopped: %s", stop.Rail, stop.Code)
		}
	}
	return text
}

// look does whatever is to be done about the period's payouts, and reports whether nothing is
// left: everything is paid, or given up as it must be.
func (d *desk) look(ctx context.Context) (bool, error) {
	list, err := d.list(ctx)
	if err != nil {
		return false, err
	}
	for _, stop := range list.Stops {
		if err := d.goesOn(ctx, stop); err != nil {
			return false, err
		}
	}
	others, err := d.files(ctx, false)
	if err != nil {
		return false, err
	}
	left, err := d.payoutsLeft(ctx, false)
	if err != nil {
		return false, err
	}
	if left == 0 || others {
		if _, err := d.files(ctx, true); err != nil { // and now the late ones
			return false, err
		}
	}
	is, err := d.state(ctx)
	return left == 0 && is == incentive.Settling, err
}

// goesOn lets a stopped rail go on, once what stopped it is mended. One that was away goes on
// by itself.
func (d *desk) goesOn(ctx context.Context, stop client.RailStop) error {
	if stop.Code == string(store.CodeRailAway) {
		return nil
	}
	d.tally.stops++
	d.log.say("%s is stopped: %s", stop.Rail, stop.Code)
	if err := d.mend(stop.Rail); err != nil {
		return err
	}
	_, err := ask[client.RailAnswer](ctx, func(key string) (*http.Response, error) {
		return d.people["fin1"].DecideRailStop(ctx, d.period, stop.Rail, &client.DecideRailStopParams{IdempotencyKey: key}, client.RailStopDecisionRequest{Decision: client.RailStopDecisionRequestDecisionResumed, Reason: "it is mended"})
	})
	return err
}

// mend ends what goes wrong with a rail as a whole.
func (d *desk) mend(rail string) error {
	o := d.rails[rail]
	if o == nil {
		return fmt.Errorf("%s stopped, at which nothing was wrong", rail)
	}
	o.wire.mu.Lock()
	was := o.wire.storm
	o.wire.storm = nil
	o.wire.mu.Unlock()
	if was != nil && was.Kind == poor {
		return o.fund(drained)
	}
	return nil
}

// payoutsLeft decides about payouts that wait for a person, lets time pass where nothing
// else helps, and counts those that are not at their end. With closed those come back too
// that do so after the close.
func (d *desk) payoutsLeft(ctx context.Context, closed bool) (left int, err error) {
	all, err := d.payouts(ctx)
	if err != nil {
		return 0, err
	}
	if len(all) != len(d.payees) {
		return 0, fmt.Errorf("there are %d payouts of %d people", len(all), len(d.payees))
	}
	if err := d.timePasses(ctx); err != nil {
		return 0, err
	}
	for _, one := range all {
		who := d.payees[one.Person]
		end := "paid"
		if who.Fate == refused || who.Fate == returned && (closed || early(who)) {
			end = "cancelled"
		}
		takes := one.State == "paid" && who.Reward != nil && !d.spent[who.ID]
		if one.State == end && (who.Part == 0 || one.Recalled != nil) && !takes {
			continue
		}
		left++
		switch {
		case takes:
			d.takes(ctx, who)
		case one.State == "paid" && (who.Recalled || who.Part > 0):
			if err := d.takeBack(ctx, one, who); err != nil {
				return left, err
			}
		case one.State == "paid" && who.Fate == returned && !d.back[who.ID]:
			d.back[who.ID] = true
			d.tally.cameBack++
			if err := d.takenBack(ctx, one); err != nil {
				return left, err
			}
		case one.State == "failed" || one.State == "returned" || one.State == "held" && who.Account != good:
			if err := d.decide(ctx, one, who); err != nil {
				return left, err
			}
		case one.Reason == string(store.CodeBankUnclear) || one.State == "held" || one.State == "paid" && who.Fate != returned || one.State == "cancelled":
			return left, fmt.Errorf("%s of fate %s by %s is %s %s", who.ID, who.Fate, who.Rail, one.State, one.Reason)
		}
	}
	return left, nil
}

// early reports whether what comes back does so before the close.
func early(p *payee) bool { return p.ID[len(p.ID)-1]%2 == 0 }

// keys are the references of a payout's attempts.
func (d *desk) keys(ctx context.Context, payout string) ([]string, error) {
	return texts(ctx, d.house.DatabaseURL, `SELECT key::text FROM guerdon.payout_attempt WHERE payout_id::text = $1 ORDER BY number`, payout)
}

// takenBack has the rail take a payment back.
func (d *desk) takenBack(ctx context.Context, one client.Payout) error {
	keys, err := d.keys(ctx, one.Id)
	if err != nil {
		return err
	}
	d.log.say("what %s was paid by %s comes back", one.Person, one.Rail)
	return d.rails[one.Rail].reverse(ctx, keys[len(keys)-1])
}

// takeBack has two of finance take a payment back, or a part of it.
func (d *desk) takeBack(ctx context.Context, one client.Payout, who *payee) (err error) {
	switch {
	case one.Proposal != nil:
		_, err = ask[client.PayoutAnswer](ctx, func(key string) (*http.Response, error) {
			return d.people["fin2"].DecidePayout(ctx, one.Id, &client.DecidePayoutParams{IdempotencyKey: key}, client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed})
		})
		d.log.say("what %s was paid by %s is taken back", who.ID, who.Rail)
	case one.Recallable != nil:
		request := client.RecallRequest{Reason: "it was too much"}
		if who.Part > 0 {
			request.Amount = &incentive.Money{Minor: who.Part, Currency: one.Amount.Currency}
		}
		d.tally.recalled++
		for n := range 2 { // who asks again is answered as the first time
			_, err = ask[client.PayoutAnswer](ctx, func(key string) (*http.Response, error) {
				return d.people["fin1"].RecallPayout(ctx, one.Id, &client.RecallPayoutParams{IdempotencyKey: key}, request)
			})
			if err != nil && n > 0 {
				return fmt.Errorf("ask again for what %s was paid to be taken back: %w", who.ID, err)
			}
			if err != nil {
				break
			}
		}
	case one.Recall != nil && (one.Recall.State == string(store.RecallRefused) || one.Recall.State == string(store.RecallUnclear)):
		err = fmt.Errorf("what %s was paid by %s is not given back: %s %s", who.ID, who.Rail, one.Recall.State, one.Recall.Code)
	}
	if incentive.ErrorCode(err) == incentive.CodeConflict {
		return nil // it has gone on meanwhile
	}
	return err
}

// decide decides about a payout that waits for a person: what the rail refuses or returns is
// given up, anything else sent again.
func (d *desk) decide(ctx context.Context, one client.Payout, who *payee) error {
	reason := client.Reason{Reason: "it is so"}
	if one.State == "returned" && one.Proposal != nil { // it came back by itself before a second person had confirmed that it is taken back
		_, err := ask[client.PayoutAnswer](ctx, func(key string) (*http.Response, error) {
			return d.people["fin2"].DecidePayout(ctx, one.Id, &client.DecidePayoutParams{IdempotencyKey: key}, client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionRefused, Reason: &reason.Reason})
		})
		d.log.say("%s, %s %s, need not be taken back any more", who.ID, one.State, one.Reason)
		return err
	}
	if one.State == "returned" || who.Fate == refused && one.Reason != "unknown-outcome" && one.Reason != string(store.CodeNotFoundAtRail) && one.Reason != "api_key_expired" {
		_, err := ask[client.PayoutAnswer](ctx, func(key string) (*http.Response, error) {
			return d.people["fin1"].CancelPayout(ctx, one.Id, &client.CancelPayoutParams{IdempotencyKey: key}, reason)
		})
		if err != nil {
			return fmt.Errorf("give up %s, %s %s: %w", who.ID, one.State, one.Reason, err)
		}
		d.log.say("%s, %s %s, is given up", who.ID, one.State, one.Reason)
		return nil
	}
	if one.Reason == string(store.CodeBankUnclear) {
		return fmt.Errorf("%s by %s is %s %s", who.ID, who.Rail, one.State, one.Reason)
	}
	if o := d.rails[who.Rail]; o != nil && o.wire.mayStillPay(who.ID) {
		return nil // the rail says that something is under way
	}
	d.tally.retried++
	d.log.say("%s, %s %s, is sent again", who.ID, one.State, one.Reason)
	_, err := ask[client.PayoutAnswer](ctx, func(key string) (*http.Response, error) {
		return d.people["fin1"].RetryPayout(ctx, one.Id, &client.RetryPayoutParams{IdempotencyKey: key}, reason)
	})
	if incentive.ErrorCode(err) == incentive.CodeConflict {
		return nil // it has gone on meanwhile
	}
	return err
}

// timePasses moves the clocks of attempts that only time clears up: a rail that knows no keys
// is asked for minutes, so is one that refuses what may be under way, and a rail that keeps a
// 500 under a key forgets it after a day.
func (d *desk) timePasses(ctx context.Context) error {
	connection, err := pgx.Connect(ctx, d.house.DatabaseURL)
	if err != nil {
		return nil // PostgreSQL is away
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, `
		SELECT a.key::text, o.participant_id, o.rail FROM guerdon.payout_attempt a JOIN guerdon.payout o ON o.id = a.payout_id
		WHERE o.period_id = $1 AND o.state = 'planned' AND a.state = 'unknown' AND a.intended_at < now() - interval '2 seconds' AND a.sent_at > now() - interval '4 minutes'`, d.period)
	if err != nil {
		return nil
	}
	var key, who, rail string
	old := map[string]string{}
	_, err = pgx.ForEachRow(rows, []any{&key, &who, &rail}, func() error {
		o := d.rails[rail]
		switch {
		case o == nil || o.wire.mayStillPay(who):
		case rail == xoxoday.Name || d.payees[who].Fate == refused:
			old[key] = "5 minutes"
		case rail == stripe.Name && (slices.Contains(d.payees[who].Faults, keptBefore) || slices.Contains(d.payees[who].Faults, keptAfter)):
			old[key] = "25 hours"
		}
		return nil
	})
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if err == nil {
			_, err = connection.Exec(ctx, `UPDATE guerdon.payout_attempt SET sent_at = sent_at - $2::text::interval WHERE key::text = $1 AND state = 'unknown'`, key, old[key])
		}
		if err == nil && old[key] == "25 hours" {
			d.log.say("a day passes for %s", key)
			d.rails[stripe.Name].forget(key)
		}
	}
	return nil // what was not done is done when somebody looks again
}

// texts asks the database past the store.
func texts(ctx context.Context, databaseURL, sql string, arguments ...any) (found []string, err error) {
	err = until(ctx, "the database answers", func() (bool, error) {
		connection, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return false, nil
		}
		defer connection.Close(ctx)
		rows, err := connection.Query(ctx, sql, arguments...)
		if err != nil {
			return false, nil
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err == nil, nil
	})
	return found, err
}

// files takes payment files to the bank, and brings what it says of them. Banks that are late
// answer when nothing else is left: others reports whether only those are waited for.
func (d *desk) files(ctx context.Context, late bool) (others bool, err error) {
	list, err := ask[client.PaymentFiles](ctx, func(string) (*http.Response, error) {
		return d.people["fin2"].ListPaymentFiles(ctx, d.period, &client.ListPaymentFilesParams{})
	})
	if err != nil {
		return false, err
	}
	others = len(list.Files) > 0
	for _, f := range list.Files {
		as := d.plan.Files[f.Rail]
		if f.Settled || d.answered[f.Id] {
			continue
		}
		if f.ConfirmedBy == nil {
			others = false
			content, err := d.content(ctx, f)
			if err != nil {
				return false, err
			}
			for range map[bool]int{true: 2, false: 1}[as.Again] {
				if err := d.bank.takes(f.Rail, content, d.refuses); err != nil {
					return false, err
				}
			}
			if as.Early {
				if err := d.says(ctx, f, as); err != nil {
					return false, err
				}
			}
			if err := d.confirm(ctx, f, false); err != nil {
				return false, err
			}
			continue
		}
		if as.Late && !late {
			continue
		}
		others = false
		if !as.Early || silent(f.Rail) {
			if err := d.says(ctx, f, as); err != nil {
				return false, err
			}
		}
		if silent(f.Rail) { // a person says that the bank has carried it out
			if err := d.confirm(ctx, f, true); err != nil {
				return false, err
			}
		}
		d.answered[f.Id] = true
	}
	return others, nil
}

func (d *desk) content(ctx context.Context, f client.PaymentFile) ([]byte, error) {
	return processes.Ask(ctx, func(string) ([]byte, error) { return client.Bytes(d.people["fin2"].GetPaymentFile(ctx, f.Id)) })
}

// silent reports whether the bank of a rail says nothing of what it has paid.
func silent(rail string) bool { return rail == processes.NACHA || rail == processes.NACHATried }

// refuses reports whether the bank refuses a payout, as a bank writes it.
func (d *desk) refuses(payout string) bool {
	who, err := texts(context.Background(), d.house.DatabaseURL, `SELECT participant_id FROM guerdon.payout WHERE replace(id::text, '-', '') LIKE $1 || '%'`, payout)
	return err == nil && len(who) == 1 && d.payees[who[0]] != nil && d.payees[who[0]].Fate == refused
}

func (d *desk) confirm(ctx context.Context, f client.PaymentFile, paid bool) error {
	_, err := ask[client.PaymentFile](ctx, func(key string) (*http.Response, error) {
		return d.people["fin2"].ConfirmPaymentFile(ctx, f.Id, &client.ConfirmPaymentFileParams{IdempotencyKey: key}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid})
	})
	if incentive.ErrorCode(err) == incentive.CodeNotAllowedNow {
		d.log.say("the bank had answered the whole file of %s before it was confirmed", f.Rail)
		return nil
	}
	if err != nil {
		return fmt.Errorf("confirm %s, %t: %w", f.Name, paid, err)
	}
	d.log.say("the file of %s is confirmed, %t", f.Rail, paid)
	return nil
}

// says hands in what a bank answers in files.
func (d *desk) says(ctx context.Context, f client.PaymentFile, as answers) error {
	if f.Rail == processes.NACHATried {
		content, err := d.content(ctx, f)
		if err != nil {
			return err
		}
		return d.sendsBack(ctx, content, func(payee string) bool { return d.payees[payee] != nil && d.payees[payee].Fate == refused })
	}
	if silent(f.Rail) {
		return nil
	}
	for n, content := range d.bank.reports(f.Rail, f.MessageId, as, d.refuses) {
		_, err := processes.Ask(ctx, func(key string) (client.StatusFile, error) {
			return d.people["fin2"].UploadStatus(ctx, key, f.Rail, client.File{Name: fmt.Sprintf("bank-%d.txt", n+1), Content: bytes.NewReader(content)})
		})
		if err != nil {
			return fmt.Errorf("hand in what the bank says: %w", err)
		}
	}
	d.log.say("the bank has answered the file of %s", f.Rail)
	return nil
}

// after has come back what does so after the close, and everything told that was held back.
func (d *desk) after(ctx context.Context) error {
	err := until(ctx, "what came back after the close is given up", func() (bool, error) {
		left, err := d.payoutsLeft(ctx, true)
		return left == 0, err
	})
	if err != nil {
		return fmt.Errorf("%w%s", err, d.standing())
	}
	for _, o := range d.rails {
		o.wire.calm()
	}
	if err := d.rewarded(ctx); err != nil {
		return err
	}
	if d.plan.Storm != nil && d.plan.Storm.Kind == poor {
		held, err := d.rails[d.plan.Storm.Rail].asked.Balance(ctx, "USD")
		if err != nil {
			return err
		}
		if held.Minor < drained/2 { // nobody wanted anything of it
			if err := d.rails[d.plan.Storm.Rail].fund(drained); err != nil {
				return err
			}
		}
	}
	return errors.Join(d.post.empty(ctx)...)
}
