// Package httpapi is the registry over HTTP: /intern/v1 for other parts, /beheer/v1 for callers that come through the
// gateway with a call token. All of it listens on one mTLS listener; which part may ask what is decided here.
package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// Paths of the two APIs and their version.
const (
	Internal = "/intern/v1"
	Admin    = "/beheer/v1"
	version  = "1.0.0"
)

// Publisher is what the API needs of the registry; *publisher.Publisher is it.
type Publisher interface {
	State() *publisher.State
	Await(ctx context.Context, after api.Held) (*publisher.State, error)
	Reload(ctx context.Context, actor string) (api.Version, error)
	PutKeys(ctx context.Context, keys api.PartKeys) error
}

// Options are what New needs. All are required.
type Options struct {
	Publisher Publisher
	Office    *administration.Office
	Audit     Auditor
	Feed      Feed
	// WebhookKeys is the JWKS that receivers of webhooks check signatures with.
	WebhookKeys json.RawMessage
	Verifier    *token.Verifier // of the gateway's call tokens
	Hub         string          // outside URL of the hub; the audience is {Hub}/beheer
	Stopping    <-chan struct{} // ends long polls
	Telemetry   *telemetry.Telemetry
	Logger      *slog.Logger
	Now         func() time.Time
}

type handlers struct {
	Options
	problems problem.Writer
	probes   *probes
	gateways gateways
}

// readers are the parts that may have the snapshot.
var readers = []string{"gateway", "authserver", "journal", "portal", "address", "cases", "hubctl"}

// Parts may connect at all.
func Parts() []string { return slices.Clone(readers) }

var (
	codePart = &errs.Code{
		ID: "registry-part-not-allowed", Kind: errs.Forbidden, Side: errs.SideHub,
		Title: "This part may not ask the registry this",
		Next:  "Check which workload certificate the part uses.",
	}
	codeScope = &errs.Code{
		ID: "scope-missing", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The access token lacks a scope",
		Next: "Ask for an access token with the scope that rule names; an administrator of your organisation gives it to a client.",
	}
	codeAhead = &errs.Code{
		ID: "snapshot-version-ahead", Kind: errs.Conflict, Side: errs.SideHub,
		Title: "The version asked after is newer than the registry's",
		Next:  "The registry was restored from a backup: raise its epoch.",
	}
	codeOther = &errs.Code{
		ID: "snapshot-differs", Kind: errs.Conflict, Side: errs.SideHub,
		Title: "The registry has another snapshot under the version asked after",
		Next:  "The registry was restored from a backup, or a second one runs: raise its epoch.",
	}
	codeRegion = &errs.Code{
		ID: "region-refused", Kind: errs.Invalid, Side: errs.SideHub,
		Title: "The region file has faults; the old one stays in force",
		Next:  "Mend what invalidParams lists and reload.",
	}
)

// New makes the handler of the listener.
func New(o Options) http.Handler {
	h := &handlers{Options: o, problems: problem.Writer{Hub: o.Hub}, probes: newProbes(), gateways: gateways{seen: map[string]api.GatewayView{}}}
	internal := kit.New(kit.Options{Base: Internal, Version: version, Problems: h.problems, Logger: o.Logger})
	kit.Handle(internal, "PUT /sleutels/{part}/{instance}", h.putKeys)
	kit.Handle(internal, "POST /herladen", h.reload)
	kit.Handle(internal, "GET /proeven", h.openProbes)
	kit.Handle(internal, "PUT /proeven/{id}/{instance}", h.probed)
	kit.Handle(internal, "PUT /gateways/{instance}", h.tellFacts)

	admin := kit.New(kit.Options{
		Base: Admin, Version: version, OpenAPI: api.OpenAPI, Problems: h.problems, Errors: h.adminError, Logger: o.Logger,
	})
	kit.Handle(admin, "GET /organisaties", h.organisations)
	kit.Handle(admin, "GET /organisaties/{oin}", h.organisation)
	kit.Handle(admin, "PUT /organisaties/{oin}", h.putOrganisation)
	kit.Handle(admin, "GET /organisaties/{oin}/stappen", h.steps)
	kit.Handle(admin, "PUT /organisaties/{oin}/onderdeel", h.merge)
	kit.Handle(admin, "GET /gateways", h.listGateways)
	kit.Handle(admin, "GET /documenten", h.documents)
	kit.Handle(admin, "PUT /documenten/{soort}/aanvaarding", h.acceptDocument)
	kit.Handle(admin, "GET /aanmeldingen", h.applications)
	kit.Handle(admin, "POST /aanmeldingen", h.apply)
	kit.Handle(admin, "POST /uitnodigingen", h.invite)
	kit.Handle(admin, "GET /aanmeldingen/{id}", h.application)
	kit.Handle(admin, "POST /aanmeldingen/{id}/toelating", h.admit)
	kit.Handle(admin, "POST /aanmeldingen/{id}/afwijzing", h.rejectApplication)
	kit.Handle(admin, "GET /organisaties/{oin}/bewaarsleutels", h.hostedKeys)
	kit.Handle(admin, "POST /organisaties/{oin}/bewaarsleutels", h.proposeKey)
	kit.Handle(admin, "GET /organisaties/{oin}/bewaarsleutels/afspraken", h.touched)
	kit.Handle(admin, "GET /organisaties/{oin}/bewaarsleutels/{id}", h.hostedKey)
	kit.Handle(admin, "DELETE /organisaties/{oin}/bewaarsleutels/{id}", h.endKey)
	kit.Handle(admin, "GET /organisaties/{oin}/bewaarsleutels/{id}/aanvraag", h.keyRequest)
	kit.Handle(admin, "PUT /organisaties/{oin}/bewaarsleutels/{id}/certificaat", h.installKey)
	kit.Handle(admin, "POST /organisaties/{oin}/bewaarsleutels/{id}/bevestiging", h.confirmKey)
	kit.Handle(admin, "GET /personen", h.people)
	kit.Handle(admin, "GET /personen/{id}", h.person)
	kit.Handle(admin, "PUT /personen/{id}", h.putPerson)
	kit.Handle(admin, "DELETE /personen/{id}", h.removePerson)
	kit.Handle(admin, "PUT /personen/{id}/vervanging", h.putStandIn)
	kit.Handle(admin, "DELETE /personen/{id}/vervanging", h.endStandIn)
	kit.Handle(admin, "GET /sjablonen", h.templates)
	kit.Handle(admin, "PUT /sjablonen/{id}", h.putTemplate)
	kit.Handle(admin, "DELETE /sjablonen/{id}", h.removeTemplate)
	kit.Handle(admin, "GET /aanbiedingen", h.offers)
	kit.Handle(admin, "POST /aanbiedingen", h.offer)
	kit.Handle(admin, "GET /aanbiedingen/{id}", h.board)
	kit.Handle(admin, "POST /aanbiedingen/{id}/handtekeningen", h.signOffer)
	kit.Handle(admin, "POST /aanbiedingen/{id}/herinnering", h.remindOffer)
	kit.Handle(admin, "GET /clients", h.clients)
	kit.Handle(admin, "GET /clients/{id}", h.client)
	kit.Handle(admin, "PUT /clients/{id}", h.putClient)
	kit.Handle(admin, "DELETE /clients/{id}", h.removeClient)
	kit.Handle(admin, "POST /clients/{id}/sleutels", h.addKey)
	kit.Handle(admin, "DELETE /clients/{id}/sleutels/{kid}", h.removeKey)
	kit.Handle(admin, "POST /clients/{id}/sleutelverversing", h.refreshKeys)
	kit.Handle(admin, "PUT /clients/{id}/toewijzingen/{naam}", h.assign)
	kit.Handle(admin, "DELETE /clients/{id}/toewijzingen/{naam}", h.unassign)
	kit.Handle(admin, "GET /diensten", h.services)
	kit.Handle(admin, "GET /diensten/{slug}", h.service)
	kit.Handle(admin, "GET /diensten/{slug}/afnemers", h.consumers)
	kit.Handle(admin, "POST /diensten/{slug}/keuring", h.assess)
	kit.Handle(admin, "POST /diensten/{slug}/proef", h.testService)
	kit.Handle(admin, "PUT /diensten/{slug}", h.putService)
	kit.Handle(admin, "DELETE /diensten/{slug}", h.removeService)
	kit.Handle(admin, "GET /afspraken", h.agreements)
	kit.Handle(admin, "POST /afspraken", h.propose)
	kit.Handle(admin, "GET /afspraken/{hash}", h.agreement)
	kit.Handle(admin, "POST /afspraken/{hash}/handtekeningen", h.sign)
	kit.Handle(admin, "POST /afspraken/{hash}/herinnering", h.remind)
	kit.Handle(admin, "GET /afspraken/{hash}/vergelijking", h.compare)
	kit.Handle(admin, "PUT /toestemmingen/{hash}/beperking", h.narrow)
	kit.Handle(admin, "DELETE /toestemmingen/{hash}/beperking", h.widen)
	kit.Handle(admin, "GET /verwerkingen", h.activities)
	kit.Handle(admin, "PUT /verwerkingen/{id}", h.putActivity)
	kit.Handle(admin, "GET /verwerkingen/{oin}/{id}/{versie}", h.activity)
	kit.Handle(admin, "GET /auditrecords", h.auditRecords)
	kit.Handle(admin, "GET /auditlog/controle", h.checkAudit)
	kit.Handle(admin, "GET /rechten", h.rights)
	kit.Handle(admin, "GET /rechten.csv", h.rightsCSV)
	kit.Handle(admin, "GET /gebeurtenissen", h.events)
	kit.Handle(admin, "GET /kanalen", h.channels)
	kit.Handle(admin, "POST /kanalen", h.addChannel)
	kit.Handle(admin, "GET /kanalen/{id}", h.channel)
	kit.Handle(admin, "PUT /kanalen/{id}", h.putChannel)
	kit.Handle(admin, "DELETE /kanalen/{id}", h.removeChannel)
	kit.Handle(admin, "POST /kanalen/{id}/proef", h.testChannel)
	kit.Handle(admin, "POST /kanalen/{id}/herhaling", h.retryChannel)
	kit.Handle(admin, "GET /dempingen", h.mutes)
	kit.Handle(admin, "POST /dempingen", h.mute)
	kit.Handle(admin, "DELETE /dempingen/{id}", h.unmute)
	kit.Handle(admin, "GET /bezorgingen", h.parked)
	kit.Handle(admin, "GET /voorstellen", h.proposals)
	kit.Handle(admin, "POST /voorstellen/{id}/goedkeuring", h.approve)
	kit.Handle(admin, "DELETE /voorstellen/{id}", h.dismiss)

	return o.Telemetry.Server(telemetry.ServerOptions{})(h.knowPeer(&routes{
		snapshot: http.HandlerFunc(h.snapshot),
		internal: telemetry.Named(internal),
		openapi:  h.from(telemetry.Named(admin), "gateway"),          // public, see the route classes
		keys:     h.from(http.HandlerFunc(h.webhookKeys), "gateway"), // public too
		admin:    h.from(token.Require(o.Verifier, o.Hub+"/beheer", h.problems)(telemetry.Named(admin)), "gateway"),
	}))
}

// routes tells the surfaces apart by the path as it is. A ServeMux would redirect a path that is not clean, where kit
// answers 404.
type routes struct{ snapshot, internal, openapi, keys, admin http.Handler }

// ServeHTTP implements http.Handler.
func (rs *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case p == Internal+"/snapshot":
		rs.snapshot.ServeHTTP(w, r)
	case strings.HasPrefix(p, Internal+"/"):
		rs.internal.ServeHTTP(w, r)
	case p == Admin+"/webhooksleutels":
		rs.keys.ServeHTTP(w, r)
	case p == Admin+"/openapi.json":
		rs.openapi.ServeHTTP(w, r)
	default:
		rs.admin.ServeHTTP(w, r)
	}
}

// adminError says which scope is missing the way RFC 6750 §3.1 does.
func (h *handlers) adminError(w http.ResponseWriter, r *http.Request, err error) {
	e := errs.As(err)
	if e.Code == administration.CodeFaults {
		for i := range e.Fields {
			e.Fields[i].Name = pointer(e.Fields[i].Name)
		}
	}
	if e.Code == codeScope {
		w.Header().Set("WWW-Authenticate", `Bearer realm="noorderhub", error="insufficient_scope", scope="`+e.Rule+`"`)
	}
	h.problems.Write(w, r, err)
}

// from lets only these parts through.
func (h *handlers) from(next http.Handler, parts ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := allow(r.Context(), parts...); err != nil {
			h.problems.Write(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type (
	peerKey struct{}
	pathKey struct{}
)

// knowPeer puts the name of the part at the other end and the path into the context, where typed operations find it.
func (h *handlers) knowPeer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), peerKey{}, workload.Peer(r))
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, pathKey{}, r.URL.Path)))
	})
}

func peer(ctx context.Context) string {
	name, _ := ctx.Value(peerKey{}).(string)
	return name
}

// pathOf is the path of the request, without its query.
func pathOf(ctx context.Context) string {
	path, _ := ctx.Value(pathKey{}).(string)
	return path
}

func allow(ctx context.Context, parts ...string) error {
	if name := peer(ctx); !slices.Contains(parts, name) {
		return codePart.New("part %q is not among those that may", name)
	}
	return nil
}
