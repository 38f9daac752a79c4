package policy

import (
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/form"
)

// Form returns how a policy is filled in as a form. rails are those that there are.
func Form(rails []string) form.Shape {
	text, choice, group, rows, called := form.Field, form.OneOf, form.GroupOf, form.RowsOf, form.Called
	amounts := func(key string) form.Shape { return form.Shape{Key: key, Kind: form.List} }
	kinds := func(key string) form.Shape {
		return form.Shape{Key: key, Kind: form.Several, Words: []string{string(incentive.Employee), string(incentive.Contractor), string(incentive.Company)}}
	}
	by := form.Shape{Key: "by", Label: "by.rails", Kind: form.Several, Words: rails}
	countries := func(key string) form.Shape { return form.Shape{Key: key, Label: "countries." + key, Kind: form.List} }
	conditions := []form.Shape{called("total.reached", amounts("total")), text("change")}

	return form.Shape{Kind: form.Group, Parts: []form.Shape{
		group("approvals", "{levels: [{by: manager}]}",
			rows("levels", "[{by: manager}]", called("by.approver", choice("by", string(ByManager), string(ByManagerOfManager), string(ByFinance))), group("when", "{total: [10000 USD]}", conditions...)),
			group("automatic_below", "{total: [100 USD]}", conditions...), text("remind_after_days"), text("escalate_after_days")),
		group("disputes", "{holds: line}", choice("holds", string(HoldContribution), string(HoldLine), string(HoldStatement), string(HoldNothing)), text("answer_within_days"), text("remind_after_days"), text("escalate_after_days"), text("late_days")),
		group("outliers", "{change: 50%}", text("change"), text("times_median")),
		called("policy.deals", group("deals", "{entered: true}", choice("entered", "true", "false"), text("remind_after_days"))),
		group("release", "{by_approver: false}", choice("by_approver", "true", "false")),
		group("payouts", "{change_waits_days: 2}",
			amounts("minimum"), amounts("largest"), amounts("list"), group("within", "{days: 30, total: [10000 USD]}", text("days"), amounts("total")), amounts("second_person_above"), text("change_waits_days"), kinds("tax_details"),
			group("employees", "{by: [payment-file]}", by, countries("else_in")),
			rows("withholding", "[{of: [contractor], rate: 0%}]", kinds("of"), countries("in"), called("withholding.rate", text("rate")), text("without_tax_details")),
			rows("methods", "[{by: [payment-file]}]", kinds("of"), countries("in"), by, called("methods.from", amounts("from")), called("methods.up_to", amounts("up_to"))),
			group("points", "{expire_after_months: 12}", text("expire_after_months"))),
	}}
}
