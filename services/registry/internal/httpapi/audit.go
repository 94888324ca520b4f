package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// Auditor reads the audit log; *store.Store is it.
type Auditor interface {
	Audited(ctx context.Context, f audit.Filter) (audit.Page, error)
	VerifyAudit(ctx context.Context, held ...string) (audit.Report, error)
	Audit(ctx context.Context, records ...audit.Record) error
}

// auditors may read the log of their organisation.
var auditors = []string{directory.RoleAuditor, directory.RoleAdministrator, directory.RolePrivacyOfficer, directory.RoleHubOperator}

// auditQuery selects records.
type auditQuery struct{ filter audit.Filter }

// Decode reads the query.
func (a *auditQuery) Decode(r *http.Request) error {
	q := kit.NewQuery(r)
	a.filter = audit.Filter{
		Act: audit.Act(q.String("handeling")), Person: q.String("persoon"), Client: q.String("client"),
		Subject: audit.Subject{Kind: q.String("soort"), ID: q.String("onderwerp")},
	}
	if a.filter.Act != "" && !slices.Contains(audit.Acts(), a.filter.Act) {
		q.Fault("handeling", "enum", "is no act that is logged")
	}
	if q.Has("vanaf") {
		a.filter.From = q.Time("vanaf")
	}
	if q.Has("tot") {
		a.filter.Till = q.Time("tot")
	}
	if q.Has("voor") {
		a.filter.Before = int64(q.Int("voor"))
	}
	if q.Has("aantal") {
		a.filter.Limit = q.Int("aantal", kit.Range(1, audit.MaxLimit))
	}
	return q.Err()
}

type auditList struct {
	Records []audit.Record `json:"auditrecords"`
	Next    int64          `json:"voor,omitempty"` // for the next page; absent: this is the last
}

// auditRecords gives what happened to what is the caller's: who, what, when, with which outcome.
func (h *handlers) auditRecords(ctx context.Context, q auditQuery) (auditList, error) {
	caller, err := h.auditor(ctx, "auditrecords")
	if err != nil {
		return auditList{}, err
	}
	if !caller.HasRole(token.RoleHubOperator) {
		q.filter.Reader = oin.OIN(caller.PeerID)
	}
	page, err := h.Audit.Audited(ctx, q.filter)
	if err != nil {
		return auditList{}, errs.CodeUnavailable.Wrap(err, "the audit log cannot be read now").WithRetryAfter(5 * time.Second)
	}
	return auditList{Records: append([]audit.Record{}, page.Records...), Next: page.Next}, nil
}

func (h *handlers) auditor(ctx context.Context, operation string) (token.Caller, error) {
	caller, _, err := h.caller(ctx, operation)
	if err != nil {
		return caller, err
	}
	if !slices.ContainsFunc(auditors, caller.HasRole) {
		return caller, administration.CodeRole.New("the audit log is for people with a role of: %v", auditors).WithRule(directory.RoleAuditor)
	}
	return caller, nil
}

// auditReport is what a check of the whole log found.
type auditReport struct {
	Size    int64    `json:"omvang"`         // records ever logged
	Records int64    `json:"aanwezig"`       // that are there and are what was logged
	Signed  int64    `json:"ondertekend"`    // the newest checkpoint covers the first so many
	Root    string   `json:"wortel"`         // of the Merkle tree
	Removed []string `json:"verwijderd"`     // ranges whose time was over
	Fault   string   `json:"fout,omitempty"` // the first thing that is not as it was logged
}

// checkAudit walks the whole log. It tells sizes and a root, nothing of what is in it.
func (h *handlers) checkAudit(ctx context.Context, _ struct{}) (auditReport, error) {
	if _, err := h.auditor(ctx, "auditlog/controle"); err != nil {
		return auditReport{}, err
	}
	report, err := h.Audit.VerifyAudit(ctx)
	if err != nil {
		return auditReport{}, errs.CodeUnavailable.Wrap(err, "the audit log cannot be read now").WithRetryAfter(5 * time.Second)
	}
	out := auditReport{Size: report.Size, Records: report.Records, Signed: report.Signed, Root: report.Root.String(), Removed: []string{}}
	for _, r := range report.Removed {
		out.Removed = append(out.Removed, r.String())
	}
	if report.Fault != nil {
		out.Fault = report.Fault.Error()
	}
	return out, nil
}
