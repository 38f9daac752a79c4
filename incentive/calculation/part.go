package calculation

import "github.com/guerdon/guerdon/incentive"

// PartOf returns what of a snapshot the statement of one participant depends on: all that
// is theirs with their plans and, where a plan pays overrides, the credits of the people
// below them, of whom nothing else is told but whom they report to.
func PartOf(snapshot incentive.Snapshot, participantID string) (incentive.Snapshot, error) {
	part := incentive.Snapshot{Period: snapshot.Period, Since: snapshot.Since}
	ofPlan := map[string]bool{}
	for _, a := range snapshot.Assignments {
		if a.ParticipantID == participantID {
			part.Assignments = append(part.Assignments, a)
			ofPlan[a.PlanID] = true
		}
	}
	for _, v := range snapshot.PlanVersions {
		if ofPlan[v.PlanID] {
			part.PlanVersions = append(part.PlanVersions, v)
		}
	}
	plans, err := inForce(part)
	if err != nil {
		return part, err
	}
	all, err := arrange(snapshot, plans)
	if err != nil {
		return part, err
	}
	sources := map[string]bool{}
	for _, p := range plans {
		if p.Exchange != nil {
			sources[p.Exchange.Rates] = true
		}
	}
	for _, r := range snapshot.Rates {
		if sources[r.Source] {
			part.Rates = append(part.Rates, r)
		}
	}
	counts := map[string]bool{participantID: true} // whose credits do
	depth := deepest(plans)
	for level := range depth {
		for _, c := range all.ofTeams[teamLevel{participantID, level + 1}] {
			counts[c.ParticipantID] = true
		}
	}
	known := map[string]bool{participantID: true}
	taken := map[incentive.TransactionKey]bool{}
	for _, c := range snapshot.Credits {
		if counts[c.ParticipantID] {
			part.Credits = append(part.Credits, c)
			known[c.ParticipantID], taken[c.Transaction] = true, true
		}
	}
	for _, l := range snapshot.Posted {
		if l.ParticipantID != participantID {
			continue
		}
		for _, c := range l.Contributions {
			if t, there := all.transaction(c.Transaction); there && t.Date.Before(snapshot.Since) {
				taken[c.Transaction] = true
			}
		}
	}
	for _, t := range snapshot.Transactions {
		if taken[t.TransactionKey] || t.RefundOf != "" && taken[t.Refunded()] {
			part.Transactions = append(part.Transactions, t)
		}
	}
	for id := range counts {
		for _, c := range all.own[id] {
			above, err := all.managers(nil, id, c.transaction.Date, depth)
			if err != nil {
				return part, err
			}
			for _, manager := range above {
				known[manager] = true
			}
		}
	}
	for _, p := range snapshot.Participants {
		switch {
		case p.ID == participantID:
			part.Participants = append(part.Participants, p)
		case known[p.ID]:
			part.Participants = append(part.Participants, incentive.Participant{ID: p.ID, EffectiveFrom: p.EffectiveFrom, ManagerID: p.ManagerID})
		}
	}
	for _, q := range snapshot.Quotas {
		if q.ParticipantID == participantID {
			part.Quotas = append(part.Quotas, q)
		}
	}
	for _, r := range snapshot.Reliefs {
		if r.ParticipantID == participantID {
			part.Reliefs = append(part.Reliefs, r)
		}
	}
	mine := map[incentive.GroupKey]bool{}
	for _, m := range snapshot.Memberships {
		mine[m.Group] = mine[m.Group] || m.ParticipantID == participantID
	}
	for _, g := range snapshot.Groups {
		if mine[g.GroupKey] {
			part.Groups = append(part.Groups, g)
		}
	}
	for _, m := range snapshot.Memberships {
		if mine[m.Group] {
			part.Memberships = append(part.Memberships, m)
		}
	}
	for _, q := range snapshot.GroupQuotas {
		if mine[q.Group] {
			part.GroupQuotas = append(part.GroupQuotas, q)
		}
	}
	for _, l := range snapshot.Posted {
		if l.ParticipantID == participantID {
			part.Posted = append(part.Posted, l)
		}
	}
	for _, a := range snapshot.Adjustments {
		if a.ParticipantID == participantID {
			part.Adjustments = append(part.Adjustments, a)
		}
	}
	for _, c := range snapshot.Corrections {
		correction, err := PartOf(c, participantID)
		if err != nil {
			return part, err
		}
		part.Corrections = append(part.Corrections, correction)
	}
	for _, s := range snapshot.Corrected {
		if s.ParticipantID == participantID {
			part.Corrected = append(part.Corrected, s)
		}
	}
	return part, nil
}

// Contest names a component by which the people on a plan compete.
type Contest struct {
	PlanID    string `json:"plan_id"`
	Component string `json:"component"`
}

// Contests returns the components of the plans in force whose results depend on everybody
// who is on the plan.
func Contests(snapshot incentive.Snapshot) (map[Contest]bool, error) {
	plans, err := inForce(snapshot)
	contests := map[Contest]bool{}
	for id, p := range plans {
		for _, c := range p.Components {
			if competes(c) {
				contests[Contest{id, c.Name}] = true
			}
		}
	}
	return contests, err
}
