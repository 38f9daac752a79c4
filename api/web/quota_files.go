package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// quotaColumns are the columns of a file of quotas, by the field of imports that each fills.
var quotaColumns = []struct {
	field, column string
	needed        bool
}{{"participant_id", "person", true}, {"measure", "measure", true}, {"starts_on", "starts_on", true}, {"ends_on", "ends_on", false}, {"calendar_id", "calendar", false}, {"amount", "amount", true}}

// quotaDates are the ways in which days of such a file may be written.
var quotaDates = []string{"YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY"}

// importQuotas imports a CSV file of quotas, by a mapping that its first row gives.
func (v *visit) importQuotas() error {
	if v.may(incentive.ImportData) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	var done client.Import
	err = files.each(func(f client.File) error {
		if done.Id != "" {
			return nil // the form has one file
		}
		content := bufio.NewReaderSize(f.Content, 1<<16)
		start, err := content.Peek(1 << 16)
		if err != nil && !errors.Is(err, io.EOF) {
			return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
		}
		mapping, err := v.quotaMapping(string(start))
		if err != nil {
			return err
		}
		f.Content = content
		done, err = v.api.Import(v.r.Context(), v.key(), mapping, f)
		return err
	})
	if err == nil && done.Id == "" {
		err = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("quotas.file.none"))
	}
	return v.done(err, "/imports/"+done.Id, message{Key: "done.quotas", With: map[string]any{"count": done.Added + done.Changed}}, (*visit).quotas)
}

// quotaMapping is the mapping that reads a file of quotas which begins so.
func (v *visit) quotaMapping(start string) ([]byte, error) {
	head, _, _ := strings.Cut(strings.TrimPrefix(start, "\ufeff"), "\n")
	separator := ","
	for _, other := range []string{";", "\t", "|"} {
		if strings.Count(head, other) > strings.Count(head, separator) {
			separator = other
		}
	}
	has := map[string]string{}
	for _, name := range strings.Split(strings.TrimRight(head, "\r"), separator) {
		name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), `"`))
		has[strings.ReplaceAll(strings.ToLower(name), " ", "_")] = name
	}
	fields := map[string]string{}
	for _, c := range quotaColumns {
		name, there := has[c.column]
		if there {
			fields[c.field] = name
		} else if c.needed {
			return nil, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("quotas.file.lacks", map[string]any{"column": c.column}))
		}
	}
	dates := v.r.PostFormValue("dates")
	if !slices.Contains(quotaDates, dates) {
		dates = quotaDates[0]
	}
	type file struct {
		Separator string `json:"separator"`
		Dates     string `json:"dates"`
		Decimal   string `json:"decimal"` // before thousands, which must differ from it
		Thousands string `json:"thousands"`
	}
	written := file{separator, dates, ".", ","}
	if separator == "\t" {
		written.Separator = "tab"
	}
	if v.r.PostFormValue("decimal") == "," {
		written.Decimal, written.Thousands = ",", "."
	}
	return json.Marshal(map[string]any{"file": written, "records": []any{map[string]any{"kind": "quota", "fields": fields}}}) // which is YAML too
}
