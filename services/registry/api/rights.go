package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/problem"
)

// RightsView is who and what may do something for an organisation, at a moment.
type RightsView struct {
	Organisation string      `json:"organisatie"` // OIN
	At           time.Time   `json:"moment"`
	Rights       []RightView `json:"rechten"`
}

// RightView is one person or one client with its rights.
type RightView struct {
	Kind        string   `json:"soort"` // persoon or client
	ID          string   `json:"id"`
	Name        string   `json:"naam"`
	Email       string   `json:"email,omitempty"`
	Of          string   `json:"van,omitempty"` // of a client: id of the person whose it is
	Roles       []string `json:"rollen"`
	AdminScopes []string `json:"beheerscopes"`
	Grants      []string `json:"toestemmingen"` // short name and grant hash of what it may use
	Disabled    bool     `json:"uitgeschakeld"`
}

// Copy writes what a path below /beheer/v1 gives, as it is.
func (a *Admin) Copy(ctx context.Context, path string, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.Base, "/")+"/beheer/v1"+path, nil)
	if err != nil {
		return err
	}
	token, err := a.Token(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("administration: %w", err)
	}
	defer drain(resp)
	if err := problem.Read(resp); err != nil {
		return fmt.Errorf("administration: %w", err)
	}
	_, err = io.Copy(to, io.LimitReader(resp.Body, maxAnswer))
	return err
}
