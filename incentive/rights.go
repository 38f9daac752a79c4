package incentive

import "slices"

// Role is what a person may be in the company. A person may have several.
type Role string

// The roles.
const (
	Rep           Role = "rep"
	Manager       Role = "manager"
	Finance       Role = "finance"
	Administrator Role = "administrator"
	Auditor       Role = "auditor"
)

// Roles lists every role.
var Roles = []Role{Rep, Manager, Finance, Administrator, Auditor}

// Scope is how far a right reaches: one's own records, those of one's team (everyone
// below in the hierarchy of that day), or all.
type Scope int

// The scopes, each including the one before it.
const (
	None Scope = iota
	Own
	Team
	All
)

// Action is something that a route of the API does.
type Action string

// The actions. Every route declares one.
const (
	ReadCompany      Action = "read-company"      // periods and calendars: dates and states, no money
	ReadStatements   Action = "read-statements"   // statements, lines, contributions, payouts of people
	ReadTotals       Action = "read-totals"       // ledger, payout lists, payment files, imports, files for payroll and accounting
	ReadApprovals    Action = "read-approvals"    // approval queues, and who decides for whom
	ReadAudit        Action = "read-audit"        // audit chain
	ReadEverything   Action = "read-everything"   // all that there is, in files
	ImportData       Action = "import-data"       // transactions, credits, quotas
	ImportStructure  Action = "import-structure"  // participants, calendars, plans, assignments
	RunPeriod        Action = "run-period"        // open, lock, recalculate, publish, withdraw, close, cancel, hold
	KeepTemplates    Action = "keep-templates"    // of files for payroll and accounting
	ScreenPayees     Action = "screen-payees"     // keep the lists of whom the company must not pay
	AdjustPay        Action = "adjust-pay"        // enter adjustments, and decide about those of others
	AcceptPlan       Action = "accept-plan"       // accept the plan that one is on
	ReadAcceptances  Action = "read-acceptances"  // who has accepted their plan
	RaiseDispute     Action = "raise-dispute"     // dispute one's own pay, and speak for oneself
	AnswerDispute    Action = "answer-dispute"    // ask back, accept, reject
	ReleasePeriod    Action = "release-period"    // release, and confirm a payment file
	ReconcileRails   Action = "reconcile-rails"   // compare a day with a rail's record, and explain what differs
	DecideApproval   Action = "decide-approval"   // approve or reject statements that wait for one
	ChooseMethod     Action = "choose-method"     // payout methods and destinations
	AdministerRails  Action = "administer-rails"  // the limits of rails
	KeepTokens       Action = "keep-tokens"       // make, list and end tokens
	AdministerPeople Action = "administer-people" // roles

	ReadTerritories Action = "read-territories" // territories, teams and who is in them; no money
	ReadTargets     Action = "read-targets"     // proposals of quotas
	ProposeTargets  Action = "propose-targets"  // make proposals of quotas, and publish them
	ReviewTargets   Action = "review-targets"   // change what is proposed for somebody

	SetObjectives Action = "set-objectives" // set and score the manual objectives of others

	KeepSettings Action = "keep-settings" // how oneself wants to be spoken to
	Prove        Action = "prove"         // have results proved again, draw samples and work through them, take evidence; none of it changes what anybody is paid

	ReadRails Action = "read-rails" // rails, what they may do and how they are

	CostPlans   Action = "cost-plans"   // what a draft would cost everybody together
	ReadRecords Action = "read-records" // people over time, hierarchy, quotas, assignments, imports with their quarantine

	RedeemPoints Action = "redeem-points" // see one's points, and take rewards for them

	EnterDeals  Action = "enter-deals"  // enter, correct and withdraw deals of one's own that no source knows
	DecideDeals Action = "decide-deals" // approve or reject the deals that others entered

	ReadReliefs    Action = "read-reliefs"    // what of their quotas people are relieved of, and what is proposed
	ProposeReliefs Action = "propose-reliefs" // propose a relief of somebody's quota, and withdraw one's proposal
	DecideReliefs  Action = "decide-reliefs"  // grant or refuse what others proposed
)

// rights is the table of who may do what, and how far. What is absent is not allowed.
var rights = map[Action]map[Role]Scope{
	ReadCompany:      {Rep: All, Manager: All, Finance: All, Administrator: All, Auditor: All},
	ReadStatements:   {Rep: Own, Manager: Team, Finance: All, Auditor: All},
	ReadTotals:       {Finance: All, Auditor: All},
	ReadApprovals:    {Manager: Own, Finance: All, Auditor: All},
	ReadAudit:        {Finance: All, Auditor: All},
	ReadEverything:   {Finance: All, Auditor: All},
	ImportData:       {Finance: All, Administrator: All},
	ImportStructure:  {Administrator: All},
	RunPeriod:        {Finance: All},
	KeepTemplates:    {Finance: All},
	ScreenPayees:     {Finance: All},
	AdjustPay:        {Finance: All},
	AcceptPlan:       {Rep: Own, Manager: Own, Finance: Own},
	ReadAcceptances:  {Rep: Own, Manager: Team, Finance: All, Administrator: All, Auditor: All},
	RaiseDispute:     {Rep: Own, Manager: Own, Finance: Own},
	AnswerDispute:    {Manager: Team, Finance: All},
	ReleasePeriod:    {Finance: All},
	ReconcileRails:   {Finance: All},
	DecideApproval:   {Manager: Team, Finance: All},
	ChooseMethod:     {Rep: Own, Manager: Own, Finance: Own},
	AdministerRails:  {Administrator: All},
	KeepTokens:       {Rep: Own, Manager: Own, Finance: Own, Administrator: All, Auditor: Own},
	AdministerPeople: {Administrator: All},

	ReadTerritories: {Manager: All, Finance: All, Administrator: All, Auditor: All},
	ReadTargets:     {Manager: Team, Finance: All, Administrator: All, Auditor: All},
	ProposeTargets:  {Finance: All, Administrator: All},
	ReviewTargets:   {Manager: Team, Finance: All, Administrator: All},

	SetObjectives: {Manager: Team, Finance: All},

	KeepSettings: {Rep: Own, Manager: Own, Finance: Own, Administrator: Own, Auditor: Own},
	Prove:        {Finance: All, Auditor: All},

	ReadRails: {Finance: All, Administrator: All, Auditor: All},

	CostPlans:   {Finance: All, Administrator: All, Auditor: All},
	ReadRecords: {Finance: All, Administrator: All, Auditor: All},

	RedeemPoints: {Rep: Own, Manager: Own, Finance: Own},

	EnterDeals:  {Rep: Own, Manager: Own},
	DecideDeals: {Manager: Team, Finance: All},

	ReadReliefs:    {Manager: Team, Finance: All, Administrator: All, Auditor: All},
	ProposeReliefs: {Manager: Team},
	DecideReliefs:  {Finance: All},
}

// Actions lists every action, sorted.
func Actions() []Action {
	actions := make([]Action, 0, len(rights))
	for action := range rights {
		actions = append(actions, action)
	}
	slices.Sort(actions)
	return actions
}

// Right returns how far a person with these roles may do the action.
func Right(roles []Role, action Action) Scope {
	widest := None
	for _, role := range roles {
		widest = max(widest, rights[action][role])
	}
	return widest
}
