package web

import (
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
)

// rewarding are the rails that pay by what participants choose.
var rewarding = []string{"tremendous", "xoxoday"}

type rewardsPage struct {
	client.Rewards
	kindsPage
	Paid  bool   // by some method already
	Email string // as the visitor wrote it, or as it is known
}

// rewards reports whether there is one of some rails whose rewards can be chosen.
func (v *visit) rewards(rails []string) bool {
	return slices.ContainsFunc(rewarding, func(rail string) bool { return slices.Contains(rails, rail) })
}

// rewardsToChoose shows the rewards that the visitor can be paid by.
func (v *visit) rewardsToChoose() error {
	all, err := client.Read[client.Rewards](v.api.ListRewards(v.r.Context(), v.me.Id, &client.ListRewardsParams{}))
	if err != nil {
		return err
	}
	now, err := client.Read[client.Methods](v.api.GetMethods(v.r.Context(), v.me.Id))
	if err != nil {
		return err
	}
	all.Rewards = slices.DeleteFunc(all.Rewards, func(r client.Reward) bool { return !slices.Contains(now.Rails, r.Rail) })
	body := rewardsPage{Paid: len(now.Methods) > 0, Email: all.Email}
	body.kindsPage = v.kinds("/rewards", &all)
	body.Rewards = all
	if v.problem != nil {
		body.Email = v.r.PostFormValue("email")
	}
	return v.show("rewards", "rewards.title", body)
}

// chooseReward lets the visitor be paid by a reward.
func (v *visit) chooseReward() error {
	rail, product, _ := strings.Cut(v.r.PostFormValue("reward"), "/")
	err := v.payBy(rail, map[string]string{"email": v.r.PostFormValue("email"), "product": product})
	return v.done(err, "/account", message{Key: "done.reward"}, (*visit).rewardsToChoose)
}
