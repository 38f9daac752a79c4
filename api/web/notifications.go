package web

import (
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type notificationsPage struct {
	Notifications []client.Notification
	Next          *int64
	First         bool
	Latest        int64 // 0 where everything has been seen
}

// notifications shows what the visitor was told, the latest first.
func (v *visit) notifications() error {
	parameters := client.ListNotificationsParams{}
	body := notificationsPage{First: true}
	if before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64); err == nil {
		parameters.Before, body.First = &before, false
	}
	list, err := client.Read[client.Notifications](v.api.ListNotifications(v.r.Context(), &parameters))
	if err != nil {
		return err
	}
	body.Notifications, body.Next = list.Notifications, list.Next
	for _, n := range list.Notifications {
		if !n.Seen {
			body.Latest = max(body.Latest, n.Id)
		}
	}
	return v.show("notifications", "notifications.title", body)
}

// seeNotifications notes that the visitor has seen what they were told.
func (v *visit) seeNotifications() error {
	upTo, err := strconv.ParseInt(v.r.PostFormValue("up_to"), 10, 64)
	if err != nil {
		err = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
	} else {
		_, err = command[client.Seen](v.api.SeeNotifications(v.r.Context(), &client.SeeNotificationsParams{IdempotencyKey: v.key()}, client.Seen{UpTo: upTo}))
	}
	return v.done(err, "/notifications", message{Key: "done.seen"}, (*visit).notifications)
}

// setSettings keeps how the visitor wants to be spoken to.
func (v *visit) setSettings() error {
	request := client.Settings{
		Language: client.SettingsLanguage(v.r.PostFormValue("language")),
		Messages: client.SettingsMessages(v.r.PostFormValue("messages")),
		ByEmail:  v.r.PostFormValue("by_email") != "",
		TimeZone: given(v.r.PostFormValue("time_zone")),
		Webhook:  given(v.r.PostFormValue("webhook")),
	}
	_, err := command[client.Settings](v.api.PutSettings(v.r.Context(), &client.PutSettingsParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/account", message{Key: "done.settings"}, (*visit).account)
}
