package httpapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/zgw"
)

// transferID reads a UUID of any version (RFC 9562) in its usual form and gives it in lower case. What is none names no
// transfer.
func transferID(s string) (string, error) {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || id.Variant() != uuid.RFC4122 || id.Version() < 1 || id.Version() > 8 {
		return "", exchange.NotFound()
	}
	return id.String(), nil
}

// target is the transfer that a request is about.
type target struct {
	id      string
	version int64  // of If-Match; 0: any
	key     string // Idempotency-Key; empty: none
}

// Decode implements kit's decoder.
func (t *target) Decode(r *http.Request) error {
	var err error
	if t.id, err = transferID(r.PathValue("uuid")); err != nil {
		return err
	}
	if r.Method != http.MethodPut { // that of an offer has a query
		if err := kit.NewQuery(r).Err(); err != nil {
			return err
		}
	}
	if t.version, err = ifMatch(r); err != nil {
		return err
	}
	t.key, err = idempotencyKey(r)
	return err
}

var keyForm = regexp.MustCompile(`^[!-~]{1,200}$`)

// idempotencyKey reads the header; a PUT needs none, its path and content say which command it is.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	switch {
	case len(values) == 0 || r.Method != http.MethodPost:
		return "", nil
	case len(values) > 1 || !keyForm.MatchString(values[0]):
		return "", errs.CodeInvalid.New("Idempotency-Key is malformed").WithFields(errs.Field{
			Name: "Idempotency-Key", Code: "format", Reason: "must stand once, 1 to 200 visible ASCII characters",
		})
	}
	return values[0], nil
}

func ifMatch(r *http.Request) (int64, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 || len(values) == 1 && values[0] == "*" {
		return 0, nil
	}
	tag := strings.Join(values, ",")
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || n < 1 || tag != api.ETag(n) {
		return 0, errs.CodeInvalid.New("If-Match is not one ETag of a transfer").
			WithFields(errs.Field{Name: "If-Match", Code: "format", Reason: `must be the versie in quotes, such as "2"`})
	}
	return n, nil
}

// offerRequest is PUT /uitwisselingen/{uuid}.
type offerRequest struct {
	target
	offer exchange.Offer
	trial bool
}

var (
	rsin        = rule{zgw.IsRSIN, "must be an RSIN: nine digits that pass the 11-test"}
	caseID      = rule{zgw.IsCaseID, "must be 1 to 40 characters, no control characters, no space at the ends"}
	short       = pattern(`^[^\p{C}]{1,200}$`, "must be 1 to 200 characters, no control characters")
	reason      = pattern(`^[^\p{C}]{1,500}$`, "must be 1 to 500 characters, no control characters")
	typeID      = pattern(`^[^\p{C}]{1,50}$`, "must be 1 to 50 characters, no control characters")
	domain      = pattern(`^[A-Z]{5}$`, "must be five capitals")
	digest      = pattern(`^[0-9a-f]{64}$`, "must be a SHA-256 in 64 lower-case hex digits")
	isOIN       = rule{func(s string) bool { _, err := oin.Parse(s); return err == nil }, "must be an OIN of 20 characters"}
	registryURL = rule{isRegistryURL, "must be a URL without user and query, of at most 1000 characters"}
)

func isRegistryURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 1000 && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// Decode implements kit's decoder.
func (q *offerRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	in := kit.NewQuery(r)
	q.trial = in.String("proef", kit.OneOf("true", "false")) == "true"
	if err := in.Err(); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	o := &q.offer
	o.Receiver = body.text("ontvanger", true, isOIN)
	o.Kind = exchange.Kind(body.text("soort", true, oneOf(api.KindCopy, api.KindOnBehalf, api.KindHandover)))
	o.Deadline = body.moment("vervaltOp")
	key := body.object("zaak")
	o.Case.Source = key.text("bronorganisatie", true, rsin)
	o.Case.ID = key.text("identificatie", true, caseID)
	o.Case.Description = key.text("omschrijving", false, short, noBSN)
	kind := key.object("zaaktype")
	o.Case.Type = exchange.CaseType{
		ID: kind.text("identificatie", true, typeID), Description: kind.text("omschrijving", false, short, noBSN),
		Domain: kind.text("domein", false, domain), RSIN: kind.text("rsin", false, rsin),
	}
	manifest := body.object("manifest")
	o.Manifest.CaseSHA256 = manifest.text("zaakSha256", true, digest)
	o.Manifest.Bytes = manifest.integer("bytes", 2, api.MaxCase, fmt.Sprintf("must be from 2 to %d", api.MaxCase))
	kind.end()
	key.end()
	manifest.end()
	return body.err()
}

// acceptRequest is POST …/acceptatie, which has nothing to say.
type acceptRequest struct{ target }

// Decode implements kit's decoder.
func (q *acceptRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	if r.ContentLength == 0 {
		return nil
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	return body.err()
}

// refuseRequest is POST …/weigering.
type refuseRequest struct {
	target
	code   exchange.RefusalCode
	reason string
}

// Decode implements kit's decoder.
func (q *refuseRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	q.code = exchange.RefusalCode(body.text("redencode", true, oneOf(
		api.RefusedIncomplete, api.RefusedUnreadable, api.RefusedMisdirected, api.RefusedDuplicate, api.RefusedOther)))
	q.reason = body.text("reden", true, reason, noBSN)
	return body.err()
}

// closeRequest is POST …/sluiting.
type closeRequest struct {
	target
	source exchange.Disposition
}

// Decode implements kit's decoder.
func (q *closeRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	q.source = exchange.Disposition(body.text("bronzaak", true, oneOf(api.SourceClosed, api.SourceOpen)))
	return body.err()
}

// declineRequest is POST …/afwijzing and POST …/intrekking.
type declineRequest struct {
	target
	reason string
}

// Decode implements kit's decoder.
func (q *declineRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	q.reason = body.text("reden", true, reason, noBSN)
	return body.err()
}

// acknowledgeRequest is POST …/verwerking.
type acknowledgeRequest struct {
	target
	processed exchange.Processed
}

// Decode implements kit's decoder.
func (q *acknowledgeRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	q.processed = exchange.Processed{ID: body.text("identificatie", true, caseID), URL: body.text("zaak", false, registryURL)}
	return body.err()
}

// deliverRequest is PUT …/zaak: the case itself, byte for byte.
type deliverRequest struct {
	target
	payload []byte
	caseKey exchange.CaseKey
}

// Decode implements kit's decoder.
func (q *deliverRequest) Decode(r *http.Request) error {
	if err := q.target.Decode(r); err != nil {
		return err
	}
	if err := kit.NewQuery(r).Err(); err != nil {
		return err
	}
	if err := kit.MediaType(r, "application/json"); err != nil {
		return err
	}
	var err error
	if q.payload, err = io.ReadAll(r.Body); err != nil { // bounded by the API's MaxBody
		return kit.BodyError(err)
	}
	c, faults := zgw.Parse(q.payload)
	if len(faults) > 0 {
		return errs.CodeInvalid.New("%d fault(s) in the case; nothing was stored", len(faults)).WithFields(faults...)
	}
	q.caseKey = exchange.CaseKey{Source: c.Source, ID: c.ID}
	return nil
}

const (
	defaultPage = 50
	maxPage     = 100
)

// listRequest is GET /uitwisselingen.
type listRequest struct{ exchange.Filter }

// Decode implements kit's decoder.
func (q *listRequest) Decode(r *http.Request) error {
	in := kit.NewQuery(r)
	q.Role = exchange.Role(in.String("rol", kit.OneOf(api.RoleSender, api.RoleReceiver)))
	q.State = exchange.State(in.String("toestand", kit.OneOf(states()...)))
	if q.Limit = in.Int("aantal", kit.Range(1, maxPage)); q.Limit == 0 {
		q.Limit = defaultPage
	}
	if text := in.String("cursor"); text != "" {
		after, err := readCursor(text)
		if err != nil {
			in.Fault("cursor", "format", "must be the cursor of an earlier answer")
		}
		q.After = &after
	}
	return in.Err()
}

func states() []string {
	var names []string
	for _, s := range exchange.States() {
		names = append(names, string(s))
	}
	return names
}

// cursor is opaque to clients; inside it is "microseconds id".
func cursor(p exchange.Position) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", p.At.UnixMicro(), p.ID))
}

func readCursor(s string) (exchange.Position, error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return exchange.Position{}, err
	}
	at, id, _ := strings.Cut(string(text), " ")
	micros, errAt := strconv.ParseInt(at, 10, 64)
	_, errID := transferID(id)
	return exchange.Position{At: time.UnixMicro(micros).UTC(), ID: id}, errors.Join(errAt, errID)
}
