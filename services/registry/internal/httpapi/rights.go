package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// rights gives who and what may do something for the caller's organisation, for whoever checks that twice a year. That it
// was taken out is recorded.
func (h *handlers) rights(ctx context.Context, _ struct{}) (api.RightsView, error) {
	caller, state, err := h.caller(ctx, "rechten")
	if err != nil {
		return api.RightsView{}, err
	}
	if !slices.ContainsFunc(auditors, caller.HasRole) {
		return api.RightsView{}, administration.CodeRole.New("the export of rights is for people with a role of: %v", auditors).WithRule(directory.RoleAuditor)
	}
	if err := h.record(ctx, caller, audit.RightsExport, "rechten"); err != nil {
		return api.RightsView{}, err
	}
	return h.rightsOf(state.Directory, caller), nil
}

func (h *handlers) rightsOf(s *directory.State, caller token.Caller) api.RightsView {
	out := api.RightsView{Organisation: caller.PeerID, At: h.Now().UTC(), Rights: []api.RightView{}}
	for _, p := range directory.All[*directory.Person](s) {
		if p.Organisation == caller.PeerID {
			out.Rights = append(out.Rights, api.RightView{
				Kind: "persoon", ID: p.ID, Name: p.Name, Email: p.Email, Roles: filled(p.Roles), AdminScopes: []string{}, Grants: []string{},
			})
		}
	}
	for _, c := range directory.All[*directory.Client](s) {
		if c.Organisation != caller.PeerID {
			continue
		}
		r := api.RightView{
			Kind: "client", ID: c.ID, Name: c.Name, Of: c.Person, Roles: []string{}, AdminScopes: filled(c.AdminScopes), Grants: []string{}, Disabled: c.Disabled,
		}
		if c.HubOperator {
			r.Roles = append(r.Roles, directory.RoleHubOperator)
		}
		for _, a := range c.Assignments {
			r.Grants = append(r.Grants, a.Name+" "+a.Grant)
		}
		out.Rights = append(out.Rights, r)
	}
	return out
}

// table is an answer in CSV (RFC 4180).
type table []byte

// Bytes is the body as it is.
func (t table) Bytes() []byte { return t }

// ContentType implements what kit asks for.
func (table) ContentType() string { return "text/csv; charset=utf-8; header=present" }

// Headers let a browser keep it as a file.
func (table) Headers() http.Header {
	return http.Header{"Content-Disposition": {`attachment; filename="rechten.csv"`}}
}

// rightsCSV gives the same for a spreadsheet.
func (h *handlers) rightsCSV(ctx context.Context, q struct{}) (table, error) {
	view, err := h.rights(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"soort", "id", "naam", "email", "van", "rollen", "beheerscopes", "toestemmingen", "uitgeschakeld"}}
	for _, r := range view.Rights {
		row := []string{
			r.Kind, r.ID, r.Name, r.Email, r.Of, strings.Join(r.Roles, " "), strings.Join(r.AdminScopes, " "), strings.Join(r.Grants, "; "), strconv.FormatBool(r.Disabled),
		}
		for i := range row {
			row[i] = neutral(row[i])
		}
		rows = append(rows, row)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// neutral keeps a spreadsheet from running a cell as a formula (OWASP, CSV injection).
func neutral(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}
