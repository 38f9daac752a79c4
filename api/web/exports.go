package web

import (
	"strconv"
	"strings"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type exportsPage struct {
	Released  []client.Period                  // which payroll may take over, the latest first
	From, To  incentive.Date                   // of the period that was last opened
	Templates map[string][]client.FileTemplate // by the kind of file
}

// exports offers files for payroll and accounting, and everything of the company.
func (v *visit) exports() error {
	list, err := client.Read[client.FileTemplates](v.api.ListFileTemplates(v.r.Context()))
	if err != nil {
		return err
	}
	body := exportsPage{Templates: map[string][]client.FileTemplate{}}
	for _, t := range list.Templates {
		body.Templates[string(t.Of)] = append(body.Templates[string(t.Of)], t)
	}
	opened, err := v.opened()
	if err != nil {
		return err
	}
	for i, p := range opened {
		if i == 0 {
			body.From, body.To = p.StartsOn, p.EndsOn
		}
		switch incentive.State(p.State) {
		case incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed:
			body.Released = append(body.Released, p)
		}
	}
	return v.show("exports", "exports.title", body)
}

// asked returns what the form says of a name, or nil.
func (v *visit) asked(name string) *string {
	return given(strings.TrimSpace(v.r.URL.Query().Get(name)))
}

// day returns a day that the form says.
func (v *visit) day(name string) (types.Date, error) {
	day, err := incentive.ParseDate(v.r.URL.Query().Get(name))
	return types.Date{Time: day.UTC()}, err
}

// days returns the first and the last day that the form says.
func (v *visit) days() (from, to types.Date, err error) {
	if v.may(incentive.ReadTotals) == incentive.None {
		return from, to, v.forbidden()
	}
	if from, err = v.day("from"); err == nil {
		to, err = v.day("to")
	}
	return from, to, err
}

// year returns the year that the form says.
func (v *visit) year() (int, error) {
	if v.may(incentive.ReadTotals) == incentive.None {
		return 0, v.forbidden()
	}
	year, err := strconv.Atoi(v.r.URL.Query().Get("year"))
	if err != nil {
		return 0, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("exports.no-year", nil))
	}
	return year, nil
}

// payrollFile hands over what a period pays.
func (v *visit) payrollFile() error {
	return v.download(client.NewGetPayrollFileRequest(within, &client.GetPayrollFileParams{Period: v.r.URL.Query().Get("period"), Template: v.asked("template")}))
}

// journalFile hands over what was posted.
func (v *visit) journalFile() error {
	from, to, err := v.days()
	if err != nil {
		return err
	}
	return v.download(client.NewGetJournalFileRequest(within, &client.GetJournalFileParams{From: from, To: to, Currency: v.asked("currency"), Template: v.asked("template")}))
}

// registerFile hands over the list of payments.
func (v *visit) registerFile() error {
	from, to, err := v.days()
	if err != nil {
		return err
	}
	return v.download(client.NewGetRegisterFileRequest(within, &client.GetRegisterFileParams{From: from, To: to, Template: v.asked("template")}))
}

// yearEndFile hands over the totals of a year.
func (v *visit) yearEndFile() error {
	year, err := v.year()
	if err != nil {
		return err
	}
	return v.download(client.NewGetYearEndFileRequest(within, &client.GetYearEndFileParams{Year: year, Template: v.asked("template")}))
}

// contractorsFile hands over the totals for form 1099-NEC.
func (v *visit) contractorsFile() error {
	year, err := v.year()
	if err != nil {
		return err
	}
	least, err := v.decimal(text(v.asked("least")), 0)
	if err != nil {
		return err
	}
	return v.download(client.NewGetContractorsFileRequest(within, &client.GetContractorsFileParams{Year: year, Least: least, Template: v.asked("template")}))
}

// contractCostsFile hands over what it cost to obtain contracts.
func (v *visit) contractCostsFile() error {
	from, to, err := v.days()
	if err != nil {
		return err
	}
	longest := (*int)(nil)
	if text := v.asked("longest"); text != nil {
		months, err := strconv.Atoi(*text)
		if err != nil {
			return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("exports.no-months", nil))
		}
		longest = &months
	}
	return v.download(client.NewGetContractCostsFileRequest(within, &client.GetContractCostsFileParams{From: from, To: to, Longest: longest, Template: v.asked("template")}))
}

// everything hands over all of the company, without the files for the bank.
func (v *visit) everything() error {
	return v.download(client.NewExportCompanyRequest(within, &client.ExportCompanyParams{}))
}
