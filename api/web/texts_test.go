package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	written "github.com/guerdon/guerdon/api/web/texts"
	"github.com/guerdon/guerdon/docs/plans"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/form"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/incentive/plan"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// TestEveryActHasAText looks for what the store puts into the audit chain by its own name.
func TestEveryActHasAText(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../../store/*.go")
	require.NoError(t, err)
	all, err := written.Read()
	require.NoError(t, err)
	did, found := all[language.English].Family("did"), 0
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, act := range regexp.MustCompile(`audit\(ctx, tx, [^,]+, "([a-z-]+[a-z])"`).FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, did, act[1], source)
			found++
		}
	}
	require.Greater(t, found, 50)
}

// families are the words for values that the API gives: each value has one, and there is
// no other.
func families() map[string][]string {
	states := []string{notOpened}
	for _, s := range incentive.States {
		states = append(states, string(s))
	}
	acts, did := []string{"open", string(incentive.Reopen)}, []string{"open", string(incentive.Reopen)}
	for _, a := range incentive.PersonActs() {
		did = append(did, string(a))
		acts = append(acts, string(a))
	}
	for _, a := range []incentive.Act{incentive.Calculate, incentive.CalculationFails, incentive.WindowEnds, incentive.ApproveLast, incentive.Disburse, incentive.DisburseLast} {
		did = append(did, string(a))
	}
	did = append(did, "approved", "rejected", "plan-payouts", "build-file", "confirm-file", "settle-file", "pay-again", "build-prenotes", "confirm-prenotes", "pass-prenotes", "stop-trying", "set-destination", "confirm-account", "set-settings", "make-token", "end-token", "grant-roles", "import", "put-plan", "put-template", "set-payment-files", "put-sanctions-list", "rotate-keys", "clear-doubt", "export", "retry-payout", "cancel-payout", "redirect-payout", "confirm-redirection", "refuse-redirection", "stop-rail", "resume-rail", "set-rail-aside", "lift-hold")
	did = append(did, "ask-verification", "verify", "draw-sample", "remark-sample", "take-evidence")
	did = append(did, "enter-records", "remove-holiday", "keep-draft", "retry-rows", "leave-row-out")
	for _, act := range []string{"retry-payout", "cancel-payout", "recall-payout"} {
		did = append(did, "propose-"+act, "confirm-"+act, "refuse-"+act)
	}
	did = append(did, "end-recall")
	did = append(did, "propose-relief", "grant-relief", "refuse-relief", "withdraw-relief")
	did = append(did, "redeem", "give-back-points", "expire-points")
	did = append(did, "raise-dispute", "add-evidence", "enter-adjustment", "remind", "accept-plan", "reconcile", "explain-differences")
	for _, transition := range incentive.DisputeTransitions {
		if transition.Act != incentive.WithdrawDispute { // as of a period
			did = append(did, string(transition.Act))
		}
	}
	patterns := []string{}
	for _, one := range incentive.Patterns {
		patterns = append(patterns, string(one))
	}
	disputeStates, disputeTypes := []string{}, []string{}
	for _, s := range incentive.DisputeStates {
		disputeStates = append(disputeStates, string(s))
	}
	adjustmentTypes := []string{}
	for _, one := range incentive.AdjustmentTypes {
		adjustmentTypes = append(adjustmentTypes, string(one))
	}
	for _, one := range incentive.DisputeTypes {
		disputeTypes = append(disputeTypes, string(one))
	}
	exceptions := []string{}
	for _, e := range policy.Exceptions {
		exceptions = append(exceptions, string(e))
	}
	roles := []string{}
	for _, r := range incentive.Roles {
		roles = append(roles, string(r))
	}
	bands := []string{}
	for _, b := range calculation.Bands {
		bands = append(bands, string(b))
	}
	rails := slices.Sorted(maps.Keys(details))
	all := map[string][]string{
		"state": append(states, "on-hold"), "stands": states, "next": states, "act": acts, "act.means": acts, "act.back": acts, "did": did, "role": roles, "role.does": roles, "spoken": {"en", "id"}, "timing": {"at-once", "daily", "never"},
		"correction": {"C01", "C02", "C03", "C05", "C06", "C07"}, "payout": {"planned", "held", "submitted", "paid", "failed", "returned", "cancelled"}, "decision": {"waiting", "approved", "rejected"}, "outlier": {"first-statement", "large-change", "far-above-median", "negative-total", "changed-since-shown"}, "pace": {"behind", "reached"}, "band": bands, "reason": append(exceptions, "no-destination", "not-found-at-rail", "bank-unclear", "balance-too-small", "rail-away", "restored", "recalled", "returned", "unknown-outcome", "file-built", "not-writable"),
		"participant": {"employee", "contractor", "company"}, "pattern": patterns,
		"difference": {"missing-there", "missing-here", "amount-differs", "state-differs", "ledger-differs"}, "their": {"submitted", "paid", "returned", "refused"},
		"rail": slices.Concat(rails, rewarding, payments.Known), "account.by": rails, "account.about": rails, "account": {"cash", "clearing", "commission expense", "payable", "payable held", "draw receivable", "clawback receivable", "holdback reserve", "withholding payable", "points", "points expired"},
		"account.standing": {"open", "submitted", "ready", "refused"}, "account.onboarding": {"stripe"}, "account.open": {"stripe"},
		"row":           {"taken", "left-out"},
		"uncredited.do": {"no-rule", "no-match", "no-group", "no-member"},
		"needs":         {"hold", "refused-records", "objectives", "lock", "calculate", "records-since-lock", "uncredited", "adjustments", "period-before", "publish", "window", "disputes", "approvals", "destinations", "release", "disburse", "stopped-rails", "payment-files", "exceptions", "settle", "close", "archive"},
		"dispute-state": disputeStates, "dispute-type": disputeTypes, "clock": {"overdue", "late"}, "adjustment-type": adjustmentTypes, "run": {"current"}, "changes.means": {"early", "may", "withdraw", "late"}, "change-what": {"new", "changed", "gone"},
		"uncredited":  {"no-rule", "no-match", "no-group", "no-member"},
		"change-kind": {"transaction", "participant", "quota", "assignment", "plan", "posted", "correction", "adjustment", "exchange_rate", "territory", "team"}, "answered": {"accept", "accept-by-recalculation", "ask", "reject"}, "adjusted": {"approved", "rejected"}, "dispute.pays": {"before", "after", "closed"},
		"tab": {"overview", "statements", "runs", "approvals", "waiting", "release", "payouts", "files", "proof", "samples", "uncredited"},
	}
	all["redemption"], all["reward-kind"] = []string{"intended", "sent", "unknown", "submitted", "paid", "refused", "returned"}, []string{"gift-card", "prepaid", "experience", "charity", "cash", "other"}
	all["deal-state"], all["deal.means"], all["dealt"] = []string{"waiting", "withdrawn", "approved", "rejected"}, []string{"waiting", "withdrawn", "approved", "rejected"}, []string{"approved", "rejected"}
	all["target-method"], all["target-state"], all["targeted"] = []string{"last-year", "evenly", "capacity", "growth"}, []string{"in-review", "published", "withdrawn"}, []string{"published", "withdrawn"}
	all["relief"], all["relief-state"], all["relieved"] = []string{"leave", "territory", "account", "other"}, []string{"granted", "refused", "withdrawn"}, []string{"granted", "refused", "withdrawn"}
	for _, kind := range mapping.Kinds {
		all["record-kind"] = append(all["record-kind"], string(kind))
	}
	all["group-kind"] = []string{"territory", "team"}
	gallery, err := plans.Files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	for _, one := range gallery {
		all["gallery"] = append(all["gallery"], strings.TrimSuffix(one.Name(), ".yaml"))
	}
	all["file-setting"] = []string{"company", "iso20022_lead_days", "nacha_lead_days", "payment_file_template", "payment_file_answers", "india_template", "india_answers"}
	all["file-setting.none"] = all["file-setting"]
	all["verdict"], all["duty"], all["conflict"] = []string{"fine", "exception"}, []string{"conflict", "prepared", "adjusted", "approved", "released", "confirmed", "closed"}, store.DutyRules
	all["check"], all["proved"], all["proved.means"] = proof.Checks, []string{"proved", "failed", "later", "under-way"}, []string{"proved", "failed", "under-way"}
	for name, fields := range details {
		for _, f := range fields {
			all["field."+name] = append(all["field."+name], f.Name)
		}
	}
	steps := []string{}
	for step := range tourPaths {
		steps = append(steps, string(step))
	}
	all["tour.step"], all["tour.step.means"], all["tour.step.do"] = steps, steps, steps
	all["done"] = slices.Concat(acts, []string{"approved", "rejected", "returned", "resubmitted"})
	for _, action := range incentive.Actions() {
		all["action"] = append(all["action"], string(action))
	}
	var walk func(form.Shape)
	walk = func(s form.Shape) {
		for _, part := range s.Parts {
			if !slices.Contains(append(all["form.part"], "attribute"), part.Term()) {
				all["form.part"] = append(all["form.part"], part.Term())
			}
			if part.Kind == form.Choice || part.Kind == form.Several || part.Kind == form.Edge {
				all["form.word"] = append(all["form.word"], part.Words...)
			}
			walk(part)
		}
	}
	walk(plan.Form(nil))
	walk(policy.Form(nil))
	all["form.operator"] = form.Operators
	all["decided"] = []string{"approved", "rejected", "returned", "resubmitted"}
	return all
}

// TestTexts finds every key that pages and code use, and every text that nothing uses.
func TestTexts(t *testing.T) {
	t.Parallel()
	read, err := written.Read()
	require.NoError(t, err)
	all := texts{read[language.English]}
	used := map[string]bool{}
	use := func(key, where string) {
		require.True(t, all.Has(key), "there is no text %q, used by %s", key, where)
		used[key] = true
	}
	named := families()
	for family, values := range named {
		for _, value := range values {
			use(family+"."+value, "the family "+family)
		}
	}
	files, err := templates.ReadDir("templates/pages")
	require.NoError(t, err)
	paths := slices.Clone(layouts)
	for _, f := range files {
		paths = append(paths, path.Join("templates/pages", f.Name()))
	}
	for _, at := range paths {
		text, err := templates.ReadFile(at)
		require.NoError(t, err)
		trees, err := parse.Parse(at, string(text), "", "", builtins(functions(all)))
		require.NoError(t, err)
		for _, tree := range trees {
			calls(tree.Root, func(name string, arguments []parse.Node) {
				first, isText := arguments[0].(*parse.StringNode)
				switch {
				case name == "t" && isText:
					use(first.Text, at)
				case name == "t":
					require.IsType(t, &parse.FieldNode{}, arguments[0], "%s: the key comes from the code, where it is found", at)
				case name == "n":
					use(first.Text+".one", at)
					use(first.Text+".other", at)
				case name == "term" && isText:
					require.Contains(t, named, first.Text, at)
				case name == "dict" && isText && first.Text == "Family":
					require.Contains(t, named, arguments[1].(*parse.StringNode).Text, at)
				}
			})
		}
	}
	// In code a key is a text of its own, completed by a number, or by .do for what a
	// task's link says. What begins as keys begin is one.
	beginnings := map[string]bool{}
	for key := range all.All() {
		if beginning, _, is := strings.Cut(key, "."); is {
			beginnings[beginning] = true
		}
	}
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	documents, err := filepath.Glob("../papers/*.go")
	require.NoError(t, err)
	sources = append(sources, documents...)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, isLiteral := n.(*ast.BasicLit)
			if !isLiteral || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			exists := false
			for _, suffix := range []string{"", ".one", ".other", ".do"} {
				if all.Has(text + suffix) {
					used[text+suffix], exists = true, true
				}
			}
			if beginning, rest, is := strings.Cut(text, "."); is && beginnings[beginning] && rest != "" && !strings.Contains(rest, "%") {
				require.True(t, exists, "%s: there is no text %q", name, text)
			}
			return true
		})
	}
	for key := range all.All() {
		if strings.HasPrefix(key, "did.") {
			continue // the audit page offers every act that has a text
		}
		if of, is := strings.CutPrefix(key, "help."); is {
			page, role, _ := strings.Cut(of, ".")
			require.Contains(t, paths, "templates/pages/"+page+".html", "no page has the help %q", key)
			require.Contains(t, append(named["role"], ""), role, key)
			continue
		}
		require.True(t, used[key], "nothing uses the text %q", key)
	}
}

// builtins are the functions of templates with those of their language.
func builtins(ours map[string]any) map[string]any {
	for _, name := range []string{"and", "or", "not", "len", "index", "print", "eq", "ne", "lt", "gt"} {
		ours[name] = true
	}
	return ours
}

// calls visits every call of a function in a template that has an argument.
func calls(n parse.Node, visit func(name string, arguments []parse.Node)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, child := range n.Nodes {
				calls(child, visit)
			}
		}
	case *parse.ActionNode:
		calls(n.Pipe, visit)
	case *parse.TemplateNode:
		calls(n.Pipe, visit)
	case *parse.IfNode:
		branch(&n.BranchNode, visit)
	case *parse.RangeNode:
		branch(&n.BranchNode, visit)
	case *parse.WithNode:
		branch(&n.BranchNode, visit)
	case *parse.PipeNode:
		if n != nil {
			for _, command := range n.Cmds {
				if name, isFunction := command.Args[0].(*parse.IdentifierNode); isFunction && len(command.Args) > 1 {
					visit(name.Ident, command.Args[1:])
				}
				for _, argument := range command.Args {
					calls(argument, visit)
				}
			}
		}
	}
}

func branch(n *parse.BranchNode, visit func(string, []parse.Node)) {
	calls(n.Pipe, visit)
	calls(n.List, visit)
	calls(n.ElseList, visit)
}

// TestFormat is how amounts, numbers and days are written.
func TestFormat(t *testing.T) {
	t.Parallel()
	read, err := written.Read()
	require.NoError(t, err)
	all := texts{read[language.English]}
	for amount, want := range map[string]string{"0": "0.00\u00a0USD", "-1234.5": "−1,234.50\u00a0USD", "999": "999.00\u00a0USD", "12345678901234567.89": "12,345,678,901,234,567.89\u00a0USD"} {
		m, err := incentive.MoneyOf(decimal.RequireFromString(amount), "USD")
		require.NoError(t, err)
		require.Equal(t, want, all.Money(m))
	}
	yen, err := incentive.MoneyOf(decimal.NewFromInt(1234567), "JPY")
	require.NoError(t, err)
	require.Equal(t, "1,234,567\u00a0JPY", all.Money(yen))
	for text, want := range map[string]string{"0": "0", "100": "100", "1000": "1,000", "-100000.12345": "−100,000.12345"} {
		require.Equal(t, want, all.Number(text))
	}
	require.Equal(t, "3 credits: 33,180.76 × 0.05 = 1,659.038", all.Words("3 credits: 33180.76 × 0.05 = 1659.038"))
	require.Equal(t, `since "2026-01-01": 12,345`, all.Words(`since "2026-01-01": 12345`))
	require.Equal(t, "in 2026 (12,345.5)", all.Words("in 2026 (12345.5)"))
	zone, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	require.Equal(t, "1\u00a0Mar\u00a02026, 06:30", all.Moment(time.Date(2026, 2, 28, 23, 30, 0, 0, time.UTC), zone))
	for _, c := range [][3]string{{"2026-02-01", "2026-02-28", "February 2026"}, {"2026-12-01", "2026-12-31", "December 2026"}, {"2026-01-01", "2026-03-31", "CODE"}, {"2026-01-05", "2026-02-04", "CODE"}} {
		p := client.Period{Code: "CODE", StartsOn: incentive.MustParseDate(c[0]), EndsOn: incentive.MustParseDate(c[1])}
		require.Equal(t, c[2], all.period(p))
	}
}
