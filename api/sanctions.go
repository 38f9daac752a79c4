package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/store"
)

// ListSanctionsLists returns the lists of whom the company must not pay.
func (s *server) ListSanctionsLists(ctx context.Context, _ spec.ListSanctionsListsRequestObject) (spec.ListSanctionsListsResponseObject, error) {
	all, err := s.Store.SanctionsLists(ctx)
	answer := spec.ListSanctionsLists200JSONResponse{Lists: []spec.SanctionsList{}}
	for _, list := range all {
		answer.Lists = append(answer.Lists, sanctionsListOf(list))
	}
	return answer, err
}

// PutSanctionsList keeps a list as the next version of its name.
func (s *server) PutSanctionsList(ctx context.Context, request spec.PutSanctionsListRequestObject) (spec.PutSanctionsListResponseObject, error) {
	list, err := s.Store.PutSanctionsList(ctx, personOf(ctx).ID, request.List, request.Body.Document)
	return spec.PutSanctionsList201JSONResponse(sanctionsListOf(list)), err
}

func sanctionsListOf(list store.SanctionsList) spec.SanctionsList {
	return spec.SanctionsList{List: list.Name, Version: list.Version, Entries: list.Entries, SetBy: list.SetBy, SetAt: list.SetAt}
}
