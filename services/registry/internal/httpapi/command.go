package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// scopeWrite is what every act of the administration API needs.
const scopeWrite = "beheer.schrijven"

var codeIfMatch = &errs.Code{
	ID: "if-match-missing", Kind: errs.Invalid, Side: errs.SideClient, Title: "The request does not say which version it changes",
	Next: "Send If-Match with the ETag that you read, or If-None-Match: * for something new.",
}

// command is a request that changes something: who it is about, which revision, and a body.
type command[B any] struct {
	path     func(name string) string
	revision administration.Revision
	body     B
}

// none is the body of a command without one.
type none struct{}

// Decode reads the condition and the body.
func (c *command[B]) Decode(r *http.Request) error {
	c.path = r.PathValue
	if err := kit.NewQuery(r).Err(); err != nil {
		return err
	}
	if r.Method == http.MethodPut || r.Method == http.MethodDelete {
		var err error
		if c.revision, err = revisionOf(r); err != nil {
			return err
		}
	}
	if _, empty := any(c.body).(none); empty {
		return nil
	}
	return kit.JSON(r, &c.body)
}

// unconditional are the last segments of paths whose PUT and DELETE are about nothing that two people could have changed
// at once: they say what one side wants, whole.
var unconditional = []string{
	"/beperking", "/toewijzingen/", "/sleutels/", "/bewaarsleutels/", "/voorstellen/", "/verwerkingen/", "/aanvaarding", "/dempingen/",
	"/vervanging", "/sjablonen/", "/proeven/", "/gateways/",
}

func revisionOf(r *http.Request) (administration.Revision, error) {
	if r.Header.Get("If-None-Match") == "*" {
		return administration.Revision{Fresh: true}, nil
	}
	text := r.Header.Get("If-Match")
	if text == "" {
		for _, part := range unconditional {
			if strings.Contains(r.URL.Path, part) {
				return administration.Revision{}, nil
			}
		}
		return administration.Revision{}, codeIfMatch.New("neither If-Match nor If-None-Match is there")
	}
	n, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
	if err != nil || n <= 0 || etag(n) != text {
		return administration.Revision{}, codeIfMatch.New("If-Match is not one strong ETag of this API")
	}
	return administration.Revision{Number: n}, nil
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// read is a request about one thing.
type read struct{ path func(name string) string }

// Decode keeps the path.
func (q *read) Decode(r *http.Request) error {
	q.path = r.PathValue
	return kit.NewQuery(r).Err()
}

// actor gives who acts, with the scope to.
func (h *handlers) actor(ctx context.Context) (administration.Actor, error) {
	caller, ok := token.CallerFrom(ctx)
	if !ok || caller.PeerID == "" {
		return administration.Actor{}, errs.CodeInternal.New("request without a caller reached an operation")
	}
	if !caller.HasScope(scopeWrite) {
		return administration.Actor{}, codeScope.New("this operation needs the scope %s", scopeWrite).WithRule(scopeWrite)
	}
	span := trace.SpanContextFromContext(ctx)
	a := administration.Actor{Client: caller.ClientID, Organisation: caller.PeerID, Roles: caller.Roles, Session: caller.ID}
	if span.HasTraceID() {
		a.Trace = span.TraceID().String()
	}
	if caller.Subject != caller.ClientID {
		a.Person = caller.Subject
		if !slices.Contains(a.Roles, directory.RoleApprover) {
			if a.StandsInFor = h.Publisher.State().Directory.StandsInFor(a.Person, h.Now()); len(a.StandsInFor) > 0 {
				a.Roles = append(slices.Clone(a.Roles), directory.RoleApprover)
			}
		}
	}
	return a, nil
}

// answered is what a request for one thing or an act gives: the thing as it is now, and which revision that is.
type answered struct {
	status   int
	view     any // nil: no body
	revision int64
	version  string // of the snapshot that holds the act
	location string
}

// MarshalJSON gives the view alone.
func (a answered) MarshalJSON() ([]byte, error) { return json.Marshal(a.view) }

// StatusCode says what became of the request.
func (a answered) StatusCode() int { return a.status }

// Headers tell the revision, and from which snapshot on the data plane knows of the act.
func (a answered) Headers() http.Header {
	h := http.Header{}
	if a.revision > 0 {
		h.Set("ETag", etag(a.revision))
	}
	if a.version != "" {
		h.Set("Noorderhub-Snapshot", a.version)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	return h
}

// done answers for an act: the thing under k as it is now.
func done(state *publisher.State, k directory.Key, view any) answered {
	return answered{status: http.StatusOK, view: view, revision: state.Revision(k), version: state.Snapshot.Version.String()}
}

// gone answers for an act that took something away.
func gone(state *publisher.State) answered {
	return answered{status: http.StatusNoContent, version: state.Snapshot.Version.String()}
}

// waits answers for an act that waits for a second person.
func waits(state *publisher.State, proposal string) answered {
	k := directory.Key{Kind: directory.KindProposal, ID: proposal}
	p, _ := state.Directory.Get(k).(*directory.Proposal)
	return answered{status: http.StatusAccepted, view: proposalView(p), location: Admin + "/voorstellen/" + proposal, version: state.Snapshot.Version.String()}
}
