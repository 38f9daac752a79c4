package web

import (
	"context"
	"sync"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/language"
)

// names remembers what people are called, which everybody who is signed in may read.
type names struct {
	mutex   sync.Mutex
	byID    map[language.Language]map[string]string // nil before they are read, or once they are forgotten
	until   time.Time
	reading bool // again, while what is known is still shown
}

// most is how many items a page of the API's lists has at most.
var most = 500

// called returns what people are called, by their ids. Once a minute that is read again, and
// nobody waits for it.
func (v *visit) called() (map[string]string, error) {
	v.names.mutex.Lock()
	defer v.names.mutex.Unlock()
	if v.names.byID == nil {
		if err := v.names.read(v); err != nil {
			return nil, err
		}
	} else if !v.names.reading && time.Now().After(v.names.until) {
		v.names.reading = true
		later, was := *v, v.names.until
		later.r = v.r.WithContext(context.WithoutCancel(v.r.Context()))
		go func() {
			fresh := names{}
			err := fresh.read(&later)
			v.names.mutex.Lock()
			defer v.names.mutex.Unlock()
			if v.names.reading = false; err == nil && v.names.until.Equal(was) { // otherwise they were forgotten meanwhile
				v.names.byID, v.names.until = fresh.byID, fresh.until
			}
		}()
	}
	return v.names.byID[v.texts.Language], nil
}

// read reads what people are called, as a visitor.
func (n *names) read(v *visit) error {
	all, _, err := v.everybody(40)
	if err != nil {
		return err
	}
	n.byID = map[language.Language]map[string]string{}
	for l, t := range v.site.texts {
		n.byID[l] = map[string]string{"system": t.Get("system")}
		for _, p := range all {
			n.byID[l][p.Id] = p.Name
		}
	}
	n.until = time.Now().Add(time.Minute)
	return nil
}

// forget has names read again: somebody may have come, or be called something else.
func (n *names) forget() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.byID, n.until = nil, time.Time{}
}

// everybody lists people, at most 500 for each page.
func (v *visit) everybody(pages int) ([]client.Person, bool, error) {
	return every(pages, func(after *string) ([]client.Person, *string, error) {
		list, err := client.Read[client.People](v.api.ListPeople(v.r.Context(), &client.ListPeopleParams{After: after, Limit: &most}))
		return list.People, list.Next, err
	})
}
