package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
)

// largestDecisionFile is how many bytes a file of decisions may have.
const largestDecisionFile = 8 << 20

// decisionGroup is what a file decides in the same way for the same reason.
type decisionGroup struct {
	decision, reason string
	statements       []client.DecidedStatement
}

// decideByFile takes an approval queue that was downloaded, filled in and sent back. Every row
// is held against the queue first: where one is wrong, nothing is decided.
func (v *visit) decideByFile() error {
	if v.may(incentive.DecideApproval) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	var content []byte
	err = files.each(func(f client.File) error {
		content, err = io.ReadAll(io.LimitReader(f.Content, largestDecisionFile+1))
		return err
	})
	if err != nil {
		return err
	}
	period, queue := v.r.PathValue("period"), v.r.PostFormValue("queue")
	to := "/periods/" + url.PathEscape(period) + "/approvals"
	if queue != "" {
		to += "?" + url.Values{"queue": {queue}}.Encode()
	}
	groups, err := v.readDecisions(period, queue, content)
	if err != nil {
		return v.done(err, to, message{}, (*visit).approvals)
	}
	applied, refused, left := 0, 0, 0
	for i, g := range groups {
		request := client.DecisionRequest{Decision: client.DecisionRequestDecision(g.decision), Statements: &g.statements, Queue: given(queue), Reason: given(g.reason)}
		answer, err := command[client.DecisionAnswer](v.api.Decide(v.r.Context(), period, &client.DecideParams{IdempotencyKey: fmt.Sprintf("%s-%d", v.key(), i)}, request))
		var long underWay
		if errors.As(err, &long) {
			continue
		}
		if err != nil {
			return v.done(err, to, message{}, (*visit).approvals)
		}
		applied, refused, left = applied+answer.Applied, refused+answer.Refused, answer.Left
	}
	say := message{"decided.by-file", map[string]any{"applied": applied, "left": left}}
	if refused > 0 {
		say = message{"decided.some", map[string]any{"applied": applied, "refused": refused, "left": left}}
	}
	return v.done(nil, to, say, (*visit).approvals)
}

// readDecisions reads a file of decisions and holds each row against the queue. Its error
// names every row that is wrong, the first ones in words.
func (v *visit) readDecisions(period, queue string, content []byte) ([]decisionGroup, error) {
	wrong := func(key string, pairs ...any) error {
		text, err := v.texts.Say(key, pairs...)
		return errors.Join(err, incentive.Errorf(incentive.CodeInvalid, "%s", text))
	}
	if len(content) > largestDecisionFile {
		return nil, wrong("decision-file.too-large")
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(content, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		reader.Comma = ';' // as spreadsheets write it where a comma is in numbers
	}
	heads, err := reader.Read()
	if err != nil {
		return nil, wrong("decision-file.unreadable")
	}
	at := map[string]int{}
	for _, key := range []string{"column.id", "column.digest", "column.decision", "column.reason"} {
		i := slices.Index(heads, v.texts.Get(key))
		if i < 0 {
			return nil, wrong("decision-file.column", "column", v.texts.Get(key))
		}
		at[key] = i
	}
	const pages = 20
	waiting := true
	all, _, err := every(pages, func(after *string) ([]client.Approval, *string, error) {
		list, err := client.Read[client.Approvals](v.api.ListApprovals(v.r.Context(), period, &client.ListApprovalsParams{Queue: given(queue), Waiting: &waiting, After: after, Limit: &most}))
		return list.Approvals, list.Next, err
	})
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, a := range all {
		digests[a.Person] = a.Digest
	}
	decisions := map[string]string{"approved": "approved", "rejected": "rejected", "returned": "returned"}
	for _, code := range []string{"approved", "rejected"} {
		decisions[strings.ToLower(v.texts.Term("decision", code))] = code
	}
	var groups []decisionGroup
	var mistakes []string
	seen := map[string]bool{}
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := reader.FieldPos(0)
		if err != nil {
			return nil, wrong("decision-file.unreadable")
		}
		field := func(key string) string {
			if at[key] >= len(row) {
				return ""
			}
			text := strings.TrimSpace(row[at[key]])
			if bare, is := strings.CutPrefix(text, "'"); is && accounting.Guarded(bare) == text {
				return bare
			}
			return text
		}
		person, written := field("column.id"), strings.ToLower(field("column.decision"))
		if written == "" || written == strings.ToLower(v.texts.Term("decision", "waiting")) {
			continue
		}
		decision, reason := decisions[written], field("column.reason")
		digest, waits := digests[person]
		mistake := ""
		switch {
		case decision == "":
			mistake = "decision-file.decision"
		case seen[person]:
			mistake = "decision-file.twice"
		case person == v.me.Id:
			mistake = "decision-file.own"
		case !waits:
			mistake = "decision-file.not-waiting"
		case digest != field("column.digest"):
			mistake = "decision-file.changed"
		case reason == "" && decision != "approved":
			mistake = "decision-file.reason"
		}
		if mistake != "" {
			mistakes = append(mistakes, v.texts.Fill(mistake, map[string]any{"line": line, "person": person, "decision": written}))
			continue
		}
		seen[person] = true
		i := slices.IndexFunc(groups, func(g decisionGroup) bool { return g.decision == decision && g.reason == reason })
		if i < 0 {
			groups = append(groups, decisionGroup{decision: decision, reason: reason})
			i = len(groups) - 1
		}
		groups[i].statements = append(groups[i].statements, client.DecidedStatement{Person: person, Digest: digest})
	}
	const told = 20
	switch {
	case len(mistakes) > told:
		mistakes = append(mistakes[:told], v.texts.Fill("decision-file.more", map[string]any{"more": len(mistakes) - told}))
		fallthrough
	case len(mistakes) > 0:
		return nil, wrong("decision-file.wrong", "rows", strings.Join(mistakes, "\n"))
	case len(groups) == 0:
		return nil, wrong("decision-file.empty")
	}
	return groups, nil
}
