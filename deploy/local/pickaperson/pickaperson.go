// Package pickaperson signs in whoever one says one is. It is for a local installation,
// where everybody is made up; nothing else may mount it.
package pickaperson

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/api/web"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// lifetime of a session.
const lifetime = 12 * time.Hour

// shown is how many people the page offers.
const shown = 500

// Page lets the pages offer everybody.
func Page(s *store.Store) *web.PickAPerson {
	return &web.PickAPerson{
		Lifetime: lifetime,
		Token:    func(ctx context.Context, person string) (string, error) { return token(ctx, s, person) },
		People: func(ctx context.Context) ([]client.Person, error) {
			all, err := s.People(ctx, "", "", shown)
			people := make([]client.Person, len(all))
			for i, p := range all {
				people[i] = client.Person{Id: p.ID, Name: p.Name, Roles: []string{}}
				for _, role := range p.Roles {
					people[i].Roles = append(people[i].Roles, string(role))
				}
			}
			return people, err
		},
	}
}

func token(ctx context.Context, s *store.Store, person string) (string, error) {
	return s.NewSession(ctx, person, lifetime)
}

// Mount adds POST /session, which takes {"person":"p02"} and answers {"token":"…"}.
func Mount(r gin.IRouter, s *store.Store) {
	r.POST("/session", func(c *gin.Context) {
		var who struct {
			Person string `json:"person"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, 1<<10)).Decode(&who); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"detail": `write {"person":"<id>"}`})
			return
		}
		secret, err := token(c.Request.Context(), s, who.Person)
		switch {
		case incentive.ErrorCode(err) == incentive.CodeNotFound:
			c.JSON(http.StatusNotFound, gin.H{"detail": incentive.ErrorMessage(err)})
		case err != nil:
			_ = c.Error(err)
			c.JSON(http.StatusInternalServerError, gin.H{"detail": incentive.ErrorMessage(err)})
		default:
			c.JSON(http.StatusCreated, gin.H{"token": secret})
		}
	})
}
