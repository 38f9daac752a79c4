package standin

import (
	"net/http"
	"slices"
	"strings"
)

// Group is what was transferred under one transfer group.
type Group struct {
	TransferGroup string     `json:"transfer_group"`
	Transfers     []Transfer `json:"transfers"` // the oldest first
}

// Transfer is one transfer, in Stripe's units of a lower-case currency.
type Transfer struct {
	ID             string            `json:"id"`
	Destination    string            `json:"destination"`
	Amount         int64             `json:"amount"`
	AmountReversed int64             `json:"amount_reversed"`
	Currency       string            `json:"currency"`
	Metadata       map[string]string `json:"metadata"`
}

// Report lists what was transferred, by transfer group in order: exactly once is one
// transfer in each.
func (s *Server) Report() []Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	report := make([]Group, 0, len(s.groups))
	for name, made := range s.groups {
		g := Group{TransferGroup: name}
		for _, t := range made {
			g.Transfers = append(g.Transfers, Transfer{t.ID, t.Destination, t.Amount, t.AmountReversed, t.Currency, t.Metadata})
		}
		report = append(report, g)
	}
	slices.SortFunc(report, func(a, b Group) int { return strings.Compare(a.TransferGroup, b.TransferGroup) })
	return report
}

func (s *Server) getReport(w http.ResponseWriter, r *http.Request) {
	if a, open := s.gate(r); !open {
		a.write(w)
		return
	}
	ok(s.Report()).write(w)
}

// Paid counts the transfers of a transfer group.
func (s *Server) Paid(group string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.groups[group])
}
