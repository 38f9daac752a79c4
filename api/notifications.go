package api

import (
	"context"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// GetSettings returns how whoever is signed in wants to be spoken to.
func (s *server) GetSettings(ctx context.Context, _ spec.GetSettingsRequestObject) (spec.GetSettingsResponseObject, error) {
	chosen, err := s.Store.Settings(ctx, personOf(ctx).ID)
	if chosen.Language == "" {
		chosen.Language = languageOf(ctx)
	}
	return spec.GetSettings200JSONResponse{
		Language: spec.SettingsLanguage(chosen.Language),
		TimeZone: orNil(chosen.TimeZone),
		Messages: spec.SettingsMessages(chosen.Messages),
		ByEmail:  chosen.ByEmail,
		Webhook:  orNil(chosen.Webhook),
	}, err
}

// PutSettings keeps how whoever is signed in wants to be spoken to.
func (s *server) PutSettings(ctx context.Context, request spec.PutSettingsRequestObject) (spec.PutSettingsResponseObject, error) {
	chosen := store.Settings{
		TimeZone: strings.TrimSpace(value(request.Body.TimeZone)),
		Messages: notice.Timing(request.Body.Messages),
		ByEmail:  request.Body.ByEmail,
		Webhook:  strings.TrimSpace(value(request.Body.Webhook)),
	}
	var err error
	if chosen.Language, err = language.Parse(string(request.Body.Language)); err != nil {
		return nil, err
	}
	if _, err := time.LoadLocation(chosen.TimeZone); err != nil || chosen.TimeZone == "Local" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "there is no time zone %q: one is written as Asia/Jakarta", chosen.TimeZone)
	}
	if chosen.Webhook != "" {
		if s.Messenger == nil {
			return nil, incentive.Errorf(incentive.CodeInvalid, "this installation sends no messages to webhooks")
		}
		if err := s.Messenger.CheckWebhook(ctx, chosen.Webhook); err != nil {
			return nil, err
		}
	}
	return spec.PutSettings200JSONResponse(*request.Body), s.Store.SetSettings(ctx, personOf(ctx).ID, chosen)
}

// ListNotifications lists what whoever is signed in was told.
func (s *server) ListNotifications(ctx context.Context, request spec.ListNotificationsRequestObject) (spec.ListNotificationsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Notices(ctx, personOf(ctx).ID, value(request.Params.Before), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListNotifications200JSONResponse{Notifications: []spec.Notification{}}
	for _, n := range all {
		answer.Notifications = append(answer.Notifications, spec.Notification{
			Id:      n.ID,
			Kind:    string(n.Kind),
			Subject: n.Subject,
			Says:    n.Sentence(languageOf(ctx)),
			Path:    n.Path(),
			ToldAt:  n.CreatedAt,
			Seen:    n.Seen,
		})
	}
	if len(all) == limit {
		answer.Next = &all[limit-1].ID
	}
	return answer, nil
}

// SeeNotifications notes that whoever is signed in has seen what they were told.
func (s *server) SeeNotifications(ctx context.Context, request spec.SeeNotificationsRequestObject) (spec.SeeNotificationsResponseObject, error) {
	return spec.SeeNotifications200JSONResponse(*request.Body), s.Store.SeeNotices(ctx, personOf(ctx).ID, request.Body.UpTo)
}
