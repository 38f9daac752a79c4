package web

import (
	"sync"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/language"
)

// names remembers what people are called, which everybody who is signed in may read.
type names struct {
	mutex sync.Mutex
	byID  map[language.Language]map[string]string
	until time.Time
}

// most is how many items a page of the API's lists has at most.
var most = 500

// called returns what people are called, by their ids.
func (v *visit) called() (map[string]string, error) {
	v.names.mutex.Lock()
	defer v.names.mutex.Unlock()
	if time.Now().Before(v.names.until) {
		return v.names.byID[v.texts.Language], nil
	}
	all, _, err := v.everybody(40)
	if err != nil {
		return nil, err
	}
	v.names.byID = map[language.Language]map[string]string{}
	for l, t := range v.site.texts {
		v.names.byID[l] = map[string]string{"system": t.Get("system")}
		for _, p := range all {
			v.names.byID[l][p.Id] = p.Name
		}
	}
	v.names.until = time.Now().Add(time.Minute)
	return v.names.byID[v.texts.Language], nil
}

// forget has names read again: somebody may have come, or be called something else.
func (n *names) forget() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.until = time.Time{}
}

// everybody lists people, at most 500 for each page.
func (v *visit) everybody(pages int) ([]client.Person, bool, error) {
	return every(pages, func(after *string) ([]client.Person, *string, error) {
		list, err := client.Read[client.People](v.api.ListPeople(v.r.Context(), &client.ListPeopleParams{After: after, Limit: &most}))
		return list.People, list.Next, err
	})
}
