package sample

import (
	"bytes"
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

//go:embed mappings plans
var documents embed.FS

// Site is an installation to settle the company in.
type Site struct {
	Store  *store.Store // for tokens; everything else goes through the API
	APIURL string
	Empty  bool // no sample company, only an administrator
	Today  incentive.Date
	Say    func(line string) // progress
}

// Settle fills a new installation with the company: its data, the month under way open,
// the one before waiting for its approvals, and those before it paid and closed. What is there already
// stays; after a kill the next call goes on.
func Settle(ctx context.Context, s Site) error {
	_, err := s.Store.FirstAdministrator(ctx, Administrator, store.UnnamedCompany, TimeZone, time.Minute)
	if err != nil && incentive.ErrorCode(err) != incentive.CodeConflict {
		return err
	}
	if s.Empty {
		return nil
	}
	name, _, err := s.Store.Company(ctx)
	if err != nil {
		return err
	}
	o := &office{Site: s, clients: map[string]*client.Client{}}
	if name != Name {
		if name != store.UnnamedCompany {
			return nil // somebody's own company
		}
		if err := o.load(ctx); err != nil {
			return err
		}
	}
	return o.payMonths(ctx)
}

// office is everybody at work in the company.
type office struct {
	Site
	clients map[string]*client.Client
}

func (o *office) as(ctx context.Context, person string) (*client.Client, error) {
	if c := o.clients[person]; c != nil {
		return c, nil
	}
	token, err := o.Store.NewToken(ctx, person, person, "sample company", time.Hour)
	if err != nil {
		return nil, err
	}
	c, err := client.New(o.APIURL, token)
	o.clients[person] = c
	return c, err
}

// load brings the company's data in. Its name comes last: it says that all is there.
func (o *office) load(ctx context.Context) error {
	began := time.Now()
	company := Generate(o.Today)
	admin, err := o.as(ctx, Administrator)
	if err != nil {
		return err
	}
	rows := 0
	for _, file := range []struct {
		mapping string
		content []byte
	}{
		{"participants", company.Participants}, {"calendar", company.Calendars}, {"quotas", company.Quotas},
		{"deals", company.Transactions}, {"credits", company.Credits}, {"assignments", company.Assignments},
		{"opportunities", company.Opportunities},
	} {
		mapping, err := documents.ReadFile("mappings/" + file.mapping + ".yaml")
		if err != nil {
			return err
		}
		done, err := admin.Import(ctx, client.NewKey(), mapping, client.File{Name: file.mapping + ".csv", Content: bytes.NewReader(file.content)})
		if err != nil {
			return fmt.Errorf("import %s: %w", file.mapping, err)
		}
		if len(done.Rows) > 0 {
			return fmt.Errorf("import %s: line %d: %s", file.mapping, done.Rows[0].Line, done.Rows[0].Reason)
		}
		rows += done.Added
	}
	plans, err := documents.ReadDir("plans")
	if err != nil {
		return err
	}
	periods, err := table(company.Calendars)
	if err != nil {
		return err
	}
	from, err := incentive.ParseDate(periods[0]["first"])
	if err != nil {
		return err
	}
	for _, entry := range plans {
		text, err := documents.ReadFile("plans/" + entry.Name())
		if err != nil {
			return err
		}
		if _, err := client.Read[client.Plan](admin.PutPlan(ctx, &client.PutPlanParams{IdempotencyKey: client.NewKey()}, client.PutPlanJSONRequestBody{Document: string(text), EffectiveFrom: from})); err != nil {
			return fmt.Errorf("store plan %s: %w", entry.Name(), err)
		}
	}
	if err := o.people(ctx, admin, company); err != nil {
		return err
	}
	_, err = client.Read[client.Company](admin.PutCompany(ctx, &client.PutCompanyParams{IdempotencyKey: client.NewKey()}, client.PutCompanyJSONRequestBody{Name: Name, TimeZone: TimeZone}))
	o.Say(fmt.Sprintf("%s: %d records and %d plans imported (%.1f s)", Name, rows, len(plans), time.Since(began).Seconds()))
	return err
}

// people gives everybody their roles, and lets everybody who is paid say where.
func (o *office) people(ctx context.Context, admin *client.Client, company Company) error {
	granted, err := table(company.Roles)
	if err != nil {
		return err
	}
	roles := map[string][]client.RolesRoles{}
	var order []string
	for _, row := range granted {
		if roles[row["id"]] == nil {
			order = append(order, row["id"])
		}
		roles[row["id"]] = append(roles[row["id"]], client.RolesRoles(row["role"]))
	}
	for _, id := range order {
		if _, err := client.Read[client.Person](admin.PutRoles(ctx, id, &client.PutRolesParams{IdempotencyKey: client.NewKey()}, client.PutRolesJSONRequestBody{Roles: roles[id]})); err != nil {
			return fmt.Errorf("give %s roles: %w", id, err)
		}
	}
	wanted, err := table(company.Destinations)
	if err != nil {
		return err
	}
	methods := map[string][]client.MethodRequest{}
	order = nil
	for _, row := range wanted {
		if methods[row["id"]] == nil {
			order = append(order, row["id"])
		}
		details := map[string]string{}
		for _, detail := range []string{"account", "holder", "bank", "product"} {
			if row[detail] != "" {
				details[detail] = row[detail]
			}
		}
		rail := row["rail"]
		methods[row["id"]] = append(methods[row["id"]], client.MethodRequest{Rail: &rail, Details: &details, Share: row["share"]})
	}
	for _, id := range order {
		self, err := o.as(ctx, id)
		if err != nil {
			return err
		}
		if _, err := client.Read[client.Methods](self.PutMethods(ctx, id, &client.PutMethodsParams{IdempotencyKey: client.NewKey()}, client.MethodsRequest{Methods: methods[id]})); err != nil {
			return fmt.Errorf("say where %s is paid: %w", id, err)
		}
	}
	return nil
}

// payMonths pays and closes every month but the last two of the calendar: the last is
// open, and the one before waits for its approvals.
func (o *office) payMonths(ctx context.Context) error {
	admin, err := o.as(ctx, Administrator)
	if err != nil {
		return err
	}
	list, err := client.Read[client.Periods](admin.ListPeriods(ctx, &client.ListPeriodsParams{}))
	if err != nil {
		return err
	}
	months := slices.DeleteFunc(list.Periods, func(p client.Period) bool { return p.Calendar != Calendar })
	if len(months) < 2 {
		return nil
	}
	waiting := months[len(months)-2]
	if waiting.Revision > 0 && waiting.State != string(incentive.Open) {
		return nil // all of this was done at an earlier start
	}
	for _, month := range months[:len(months)-2] {
		if month.State == string(incentive.Closed) {
			continue
		}
		began := time.Now()
		if err := o.pay(ctx, month.Id); err != nil {
			return fmt.Errorf("pay %s: %w", month.Id, err)
		}
		o.Say(fmt.Sprintf("%s paid and closed (%.1f s)", month.Id, time.Since(began).Seconds()))
	}
	underWay := months[len(months)-1]
	if err := o.open(ctx, underWay.Id); err != nil {
		return err
	}
	for _, month := range []client.Period{waiting, underWay} {
		if err := o.setObjectives(ctx, month.Id, month.Id == waiting.Id); err != nil {
			return err
		}
	}
	if err := o.enterDeals(ctx, underWay); err != nil {
		return err
	}
	if err := o.toApproval(ctx, waiting.Id); err != nil {
		return fmt.Errorf("bring %s to approval: %w", waiting.Id, err)
	}
	o.Say(waiting.Id + " waits for its approvals")
	return nil
}

// act does an act if the period's state still asks for it.
func (o *office) act(ctx context.Context, person, period string, act client.ActRequestAct) error {
	c, err := o.as(ctx, person)
	if err != nil {
		return err
	}
	_, err = client.Read[client.ActAnswer](c.ActOnPeriod(ctx, period, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, client.ActOnPeriodJSONRequestBody{Act: act}))
	return err
}

func (o *office) state(ctx context.Context, period string) (client.Period, error) {
	c, err := o.as(ctx, FinancePrepare)
	if err != nil {
		return client.Period{}, err
	}
	return client.Read[client.Period](c.GetPeriod(ctx, period, &client.GetPeriodParams{}))
}

// open opens a period, unless it is.
func (o *office) open(ctx context.Context, period string) error {
	c, err := o.as(ctx, FinancePrepare)
	if err != nil {
		return err
	}
	_, err = client.Read[client.Period](c.OpenPeriod(ctx, period, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	if incentive.ErrorCode(err) == store.CodeAlreadyOpen {
		return nil
	}
	return err
}

// toApproval brings a period to where managers approve, from wherever it stands.
func (o *office) toApproval(ctx context.Context, period string) error {
	if err := o.open(ctx, period); err != nil {
		return err
	}
	return o.drive(ctx, period, incentive.Approving, map[incentive.State]func(context.Context, string) error{
		incentive.Open:       o.acts(client.ActRequestActLock),
		incentive.Calculated: o.acts(client.ActRequestActPublish),
		incentive.Published:  o.acts(client.ActRequestActEndWindow),
	})
}

// pay brings a period to its end.
func (o *office) pay(ctx context.Context, period string) error {
	if err := o.toApproval(ctx, period); err != nil {
		return err
	}
	return o.drive(ctx, period, incentive.Closed, map[incentive.State]func(context.Context, string) error{
		incentive.Approving:  o.approve,
		incentive.Approved:   o.release,
		incentive.Disbursing: o.confirm,
		incentive.Settling:   o.settle,
	})
}

func (o *office) acts(act client.ActRequestAct) func(context.Context, string) error {
	return func(ctx context.Context, period string) error { return o.act(ctx, FinancePrepare, period, act) }
}

// drive does, whenever the period is in a state, what brings it on, until it has come to
// or past a state.
func (o *office) drive(ctx context.Context, period string, to incentive.State, steps map[incentive.State]func(context.Context, string) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		p, err := o.state(ctx, period)
		if err != nil {
			return err
		}
		if p.Problem != nil {
			return fmt.Errorf("the calculation failed: %s", *p.Problem)
		}
		if slices.Index(incentive.States, incentive.State(p.State)) >= slices.Index(incentive.States, to) {
			return nil
		}
		if step := steps[incentive.State(p.State)]; step != nil {
			if err := step(ctx, period); err != nil && incentive.ErrorCode(err) != incentive.CodeNotAllowedNow {
				return err
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// approve lets everybody with an approval queue approve it.
func (o *office) approve(ctx context.Context, period string) error {
	finance, err := o.as(ctx, FinanceApprove)
	if err != nil {
		return err
	}
	people, err := client.Read[client.People](finance.ListPeople(ctx, &client.ListPeopleParams{}))
	if err != nil {
		return err
	}
	for _, p := range people.People {
		queue := (*string)(nil)
		switch {
		case p.Id == FinanceApprove:
			all := store.FinanceQueue
			queue = &all
		case !slices.Contains(p.Roles, string(incentive.Manager)):
			continue
		}
		c, err := o.as(ctx, p.Id)
		if err != nil {
			return err
		}
		_, err = client.Read[client.DecisionAnswer](c.Decide(ctx, period, &client.DecideParams{IdempotencyKey: client.NewKey()}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved, Queue: queue}))
		if err != nil && incentive.ErrorCode(err) != incentive.CodeNotAllowedNow {
			return err
		}
	}
	return nil
}

func (o *office) release(ctx context.Context, period string) error {
	c, err := o.as(ctx, FinanceRelease)
	if err != nil {
		return err
	}
	list, err := client.Read[client.PayoutList](c.GetPayoutList(ctx, period, &client.GetPayoutListParams{}))
	if err != nil {
		return err
	}
	_, err = client.Read[client.ActAnswer](c.ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest}))
	return err
}

// confirm takes the payment files that are there to the bank.
func (o *office) confirm(ctx context.Context, period string) error {
	return o.files(ctx, period, func(f client.PaymentFile) []bool {
		if f.ConfirmedBy != nil {
			return nil
		}
		return []bool{false}
	})
}

// settle lets the bank carry them out, and closes the period.
func (o *office) settle(ctx context.Context, period string) error {
	err := o.files(ctx, period, func(client.PaymentFile) []bool { return []bool{true} })
	if err != nil && incentive.ErrorCode(err) != incentive.CodeNotAllowedNow {
		return err
	}
	err = o.act(ctx, FinancePrepare, period, client.ActRequestActClose)
	if incentive.ErrorCode(err) == store.CodePayoutsOpen {
		return nil // asked again shortly
	}
	return err
}

func (o *office) files(ctx context.Context, period string, say func(client.PaymentFile) []bool) error {
	c, err := o.as(ctx, FinanceRelease)
	if err != nil {
		return err
	}
	files, err := client.Read[client.PaymentFiles](c.ListPaymentFiles(ctx, period, &client.ListPaymentFilesParams{}))
	if err != nil {
		return err
	}
	for _, f := range files.Files {
		for _, paid := range say(f) {
			if _, err := client.Read[client.PaymentFile](c.ConfirmPaymentFile(ctx, f.Id, &client.ConfirmPaymentFileParams{IdempotencyKey: client.NewKey()}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid})); err != nil {
				return err
			}
		}
	}
	return nil
}

// table reads one of the company's files.
func table(content []byte) ([]map[string]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read a generated file: %w", err)
	}
	var all []map[string]string
	for _, row := range rows[1:] {
		one := map[string]string{}
		for i, name := range rows[0] {
			one[name] = row[i]
		}
		all = append(all, one)
	}
	return all, nil
}
