package httpapi

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/services/address/api"
)

// refusal is the title and code that the Kadaster gives to a class of refusals.
type refusal struct{ title, code string }

var byRule = map[string]refusal{
	ruleRequired:    {"Ten minste één parameter moet worden opgegeven.", ruleRequired},
	ruleCombination: {"Minimale combinatie van parameters moet worden opgegeven.", ruleCombination},
	ruleUnsupported: {"De combinatie van opgegeven parameters is niet toegestaan.", ruleUnsupported},
	ruleAcceptCrs:   {"Gevraagde coördinatenstelsel wordt niet ondersteund.", ruleAcceptCrs},
	ruleContentCrs:  {"Coördinatenstelsel in Content-Crs wordt niet ondersteund.", ruleContentCrs},
}

var byKind = map[errs.Kind]refusal{
	errs.Invalid:          {"Een of meerdere parameters zijn niet correct.", ruleValidation},
	errs.Unauthenticated:  {"Niet correct geauthenticeerd.", "authentication"},
	errs.Forbidden:        {"U bent niet geautoriseerd voor deze operatie.", "autorisation"},
	errs.NotFound:         {"Opgevraagde resource bestaat niet.", "notFound"},
	errs.MethodNotAllowed: {"Deze methode is niet toegestaan", "methodNotAllowed"},
	errs.NotAcceptable:    {"Gevraagde contenttype wordt niet ondersteund.", "notAcceptable"},
	errs.Unprocessable:    {"Request body bevat een ongeldige waarde.", "unprocessableEntity"},
	errs.TooLarge:         {"Request body bevat een ongeldige waarde.", "unprocessableEntity"},
	errs.UnsupportedMedia: {"Request body bevat een ongeldige waarde.", "unprocessableEntity"},
	errs.TooMany:          {"Te veel verzoeken.", "tooManyRequests"},
	errs.Unavailable:      {"Bronservice is niet beschikbaar.", "sourceUnavailable"},
}

// writeError writes a refusal in the Kadaster's form. Its status is that of the hub's table.
func (s *surface) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := errs.As(err)
	known, ok := byRule[e.Rule]
	if !ok {
		known, ok = byKind[e.Code.Kind]
	}
	if !ok {
		known = refusal{"Interne server fout.", "serverError"}
	}
	f := api.Fout{
		Type: s.Errors + "/" + e.Code.ID, Title: known.title, Status: problem.StatusOf(e.Code.Kind), Detail: e.Detail,
		Instance: outsideFrom(r.Context()) + r.URL.RequestURI(), Code: known.code, TraceID: telemetry.TraceID(r.Context()),
	}
	for _, field := range e.Fields {
		f.InvalidParams = append(f.InvalidParams, api.FouteParameter{Type: f.Type, Name: field.Name, Code: field.Code, Reason: field.Reason})
	}
	body, _ := json.Marshal(f) // strings and ints only: cannot fail
	h := w.Header()
	h.Set("Content-Type", problem.MediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	w.WriteHeader(f.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client went away: nothing left to tell it
	}
}
