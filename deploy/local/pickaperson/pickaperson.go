// Package pickaperson signs in whoever one says one is. It is for a local installation,
// where everybody is made up; nothing else may mount it.
package pickaperson

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// lifetime of a session.
const lifetime = 12 * time.Hour

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
		token, err := s.NewToken(c.Request.Context(), who.Person, who.Person, "local session", lifetime)
		switch {
		case incentive.ErrorCode(err) == incentive.CodeNotFound:
			c.JSON(http.StatusNotFound, gin.H{"detail": incentive.ErrorMessage(err)})
		case err != nil:
			_ = c.Error(err)
			c.JSON(http.StatusInternalServerError, gin.H{"detail": incentive.ErrorMessage(err)})
		default:
			c.JSON(http.StatusCreated, gin.H{"token": token})
		}
	})
}
