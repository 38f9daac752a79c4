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
	Email string // as the visitor wrote it, or as it is known
}

// rewards reports whether there is a rail whose rewards can be chosen.
func (v *visit) rewards() bool {
	return slices.ContainsFunc(rewarding, func(rail string) bool { return slices.Contains(v.Rails, rail) })
}

// rewardsToChoose shows the rewards that the visitor can be paid by.
func (v *visit) rewardsToChoose() error {
	all, err := client.Read[client.Rewards](v.api.ListRewards(v.r.Context(), v.me.Id, &client.ListRewardsParams{}))
	if err != nil {
		return err
	}
	body := rewardsPage{Rewards: all, Email: all.Email}
	if v.problem != nil {
		body.Email = v.r.PostFormValue("email")
	}
	return v.show("rewards", "rewards.title", body)
}

// chooseReward lets the visitor be paid by a reward.
func (v *visit) chooseReward() error {
	rail, product, _ := strings.Cut(v.r.PostFormValue("reward"), "/")
	request := client.DestinationRequest{Rail: rail, Details: map[string]string{"email": v.r.PostFormValue("email"), "product": product}}
	_, err := command[client.Destination](v.api.PutDestination(v.r.Context(), v.me.Id, &client.PutDestinationParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/account", message{Key: "done.reward"}, (*visit).rewardsToChoose)
}
