package contract_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/contract"
)

// The vector was computed by hand of FSC Core 2.0.0 with crypto/sha3 and an independent JCS.
const vector = `{"created_at":1672527600,"fsc_version":"2.0.0","grants":[{"data":{"outway":{"identification":` +
	`{"public_key_thumbprint":"3a56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c",` +
	`"type":"OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"},"peer_id":"00000000000000000002"},` +
	`"service":{"name":"example-service","peer_id":"00000000000000000001","type":"SERVICE_TYPE_SERVICE"},` +
	`"type":"GRANT_TYPE_SERVICE_CONNECTION"}}],"group_id":"fsc-example-group","hash_algorithm":"HASH_ALGORITHM_SHA3_512",` +
	`"iv":"06338364-8305-7b74-8000-de4963503139","validity":{"not_after":1704063600,"not_before":1672527600}}`

const (
	vectorContent = "$1$1$ia278mmEEX5QvMZfatwQW1F3gm0jOFrh1sQN4Pc3lBtunVH9Vl-JMMJOc_9Xonzw1EuHhWD2tGspmMVGxMnGjQ"
	vectorGrant   = "$1$3$53nGkZldmXI7-3R-W1yeSFywZ3Y162RR0wArpDtUk-yyClOIDxbVw_8-eCaPLROc18atdUtXJbuROylbP-etXg"
)

func ExampleBuild() {
	content, err := contract.Build(draft())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(content.Signers(), content.Grants[0].Type, contract.IsHash(content.Hash()))
	// Output: [00000099000000002000 00000099000000001000] GRANT_TYPE_SERVICE_CONNECTION true
}

func TestTheHashesOfTheVector(t *testing.T) {
	var indented strings.Builder
	var v any
	if err := json.Unmarshal([]byte(vector), &v); err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(&indented)
	enc.SetIndent("", "\t")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{"canonical": vector, "indented": indented.String()} {
		c, err := contract.ParseContent([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Hash(); got != vectorContent {
			t.Errorf("%s: got content hash %s, want %s", name, got, vectorContent)
		}
		if got := c.Grants[0].Hash; got != vectorGrant {
			t.Errorf("%s: got grant hash %s, want %s", name, got, vectorGrant)
		}
		if string(c.Raw()) != raw {
			t.Errorf("%s: the received bytes were not kept", name)
		}
	}
}

func TestAFieldThisVersionDoesNotKnowIsPartOfTheHash(t *testing.T) {
	extended := strings.Replace(vector, `{"created_at"`, `{"extra":1,"created_at"`, 1)
	c, err := contract.ParseContent([]byte(extended))
	if err != nil {
		t.Fatal(err)
	}
	if c.Hash() == vectorContent {
		t.Error("an added field left the hash as it was")
	}
}

func TestAContentIsRefused(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(vector, old) {
			t.Fatalf("%q is not in the vector", old)
		}
		return strings.Replace(vector, old, with, 1)
	}
	second := `},{"data":{"type":"GRANT_TYPE_SERVICE_PUBLICATION","directory":{"peer_id":"d01"},` +
		`"service":{"peer_id":"s01","name":"abc","protocol":"PROTOCOL_TCP_HTTP_2"}}}],"group_id"`
	for _, tt := range []struct{ name, raw, want string }{
		{"that is no JSON", `{"iv":}`, "not JSON"},
		{"with more than one value", vector + vector, "not JSON"},
		{"that is an array", `[]`, "not a JSON object"},
		{"with a duplicate key", replace(`"group_id"`, `"iv":"x","group_id"`), `duplicate key "iv"`},
		{"with a duplicate key spelled by escape", replace(`"group_id"`, `"\u0069v":"x","group_id"`), `duplicate key "iv"`},
		{"with a lone surrogate", replace(`"fsc-example-group"`, `"\ud800"`), "lone surrogate"},
		{"with a reversed surrogate pair", replace(`"fsc-example-group"`, `"\udc00\ud800"`), "lone surrogate"},
		{"with a noncharacter", replace(`"fsc-example-group"`, `"\uffff"`), "noncharacter"},
		{"with broken UTF-8", replace(`"fsc-example-group"`, "\"\xff\""), "not UTF-8"},
		{"with a number beyond a double", replace(`"created_at":1672527600`, `"x":1e999,"created_at":1672527600`), "larger than I-JSON"},
		{"with a number beyond 2^53", replace(`"created_at":1672527600`, `"x":9007199254740993,"created_at":1672527600`), "larger than I-JSON"},
		{"with more digits than a double keeps", replace(`"created_at":1672527600`, `"x":0.12345678901234567,"created_at":1672527600`), "more digits"},
		{"nested too deep", replace(`"created_at"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"created_at"`), "nested deeper"},
		{"larger than the limit", replace(`"created_at"`, `"x":"`+strings.Repeat("a", 1<<20)+`","created_at"`), "at most"},
		{"of another version", replace(`"2.0.0"`, `"1.0.0"`), "fsc_version"},
		{"without version", replace(`"fsc_version":"2.0.0",`, ``), "fsc_version: missing"},
		{"with a field in capitals", replace(`"iv"`, `"IV"`), "iv: missing"},
		{"with null for a field", replace(`"iv":"06338364-8305-7b74-8000-de4963503139"`, `"iv":null`), "iv: not a string"},
		{"with an iv that is no UUID", replace(`"06338364-8305`, `"zz338364-8305`), "iv: not a lower-case UUID"},
		{"with another hash algorithm", replace(`SHA3_512`, `MD5`), "hash_algorithm"},
		{"with a group id of wrong characters", replace(`fsc-example-group`, `fsc example`), "group_id"},
		{"with a time in quotes", replace(`"created_at":1672527600`, `"created_at":"1672527600"`), "created_at: not a whole number"},
		{"with a negative time", replace(`"created_at":1672527600`, `"created_at":-1`), "created_at: not a time"},
		{"with a time with a fraction", replace(`"created_at":1672527600`, `"created_at":1.5`), "created_at: not a whole number"},
		{"whose window ends before it starts", replace(`"not_after":1704063600`, `"not_after":1`), "ends before it starts"},
		{"without grants", replace(vector[strings.Index(vector, `"grants":[`):strings.Index(vector, `,"group_id"`)], `"grants":[]`), "from 1 to 10"},
		{"with an unknown grant type", replace(`"GRANT_TYPE_SERVICE_CONNECTION"`, `"GRANT_TYPE_X"`), "grants[0].data.type"},
		{"without service type", replace(`,"type":"SERVICE_TYPE_SERVICE"`, ``), "grants[0].data.service.type: missing"},
		{"with a service name of two characters", replace(`"example-service"`, `"ab"`), "grants[0].data.service.name"},
		{"with a thumbprint in capitals", replace(`"3a56f2e9`, `"3A56f2e9`), "public_key_thumbprint"},
		{"with an unknown identification", replace(`OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT`, `X`), "identification.type"},
		{"with a delegator in an undelegated grant", replace(`"outway":{`, `"delegator":{"peer_id":"abc"},"outway":{`), "delegator: not allowed"},
		{"that mixes publication and connection", replace(`}],"group_id"`, second), "publication grant stands together"},
		{"whose properties are not named by extension", replace(`"outway":{`, `"properties":{"purpose":1},"outway":{`), "extension.key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := contract.ParseContent([]byte(tt.raw))
			if err == nil {
				t.Fatal("got no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestAllFaultsOfAContentComeAtOnce(t *testing.T) {
	raw := strings.NewReplacer(`"2.0.0"`, `"3"`, `fsc-example-group`, `fsc example`, `example-service`, `!`).Replace(vector)
	_, err := contract.ParseContent([]byte(raw))
	for _, want := range []string{"fsc_version", "group_id", "service.name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q in it", err, want)
		}
	}
}

func TestTheFourGrantTypesAndTheirSigners(t *testing.T) {
	const (
		publication = `"directory":{"peer_id":"dir"},"service":{"peer_id":"srv","name":"abc","protocol":"PROTOCOL_TCP_HTTP_1.1"}`
		outway      = `"outway":{"peer_id":"out","identification":{"type":"OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME","domain_name":"gw.example.nl"}}`
		service     = `"service":{"type":"SERVICE_TYPE_SERVICE","peer_id":"srv","name":"abc"}`
		delegated   = `"service":{"type":"SERVICE_TYPE_DELEGATED_SERVICE","peer_id":"srv","name":"abc","delegator":{"peer_id":"own"}}`
		delegator   = `"delegator":{"peer_id":"del"}`
	)
	for _, tt := range []struct {
		name, data string
		want       []string
		prefix     string
	}{
		{"publication", `"type":"GRANT_TYPE_SERVICE_PUBLICATION",` + publication, []string{"dir", "srv"}, "$1$2$"},
		{"connection", `"type":"GRANT_TYPE_SERVICE_CONNECTION",` + outway + `,` + service, []string{"out", "srv"}, "$1$3$"},
		{"connection to a delegated service", `"type":"GRANT_TYPE_SERVICE_CONNECTION",` + outway + `,` + delegated, []string{"out", "srv", "own"}, "$1$3$"},
		{"delegated connection", `"type":"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION",` + outway + `,` + delegated + `,` + delegator, []string{"out", "srv", "del", "own"}, "$1$4$"},
		{"delegated publication", `"type":"GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION",` + publication + `,` + delegator, []string{"dir", "srv", "del"}, "$1$5$"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, end := strings.Index(vector, `{"data":{`), strings.Index(vector, `],"group_id"`)
			c, err := contract.ParseContent([]byte(vector[:at] + `{"data":{` + tt.data + `}}` + vector[end:]))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.Grants[0].Signers()); diff != "" {
				t.Errorf("signers (-want +got):\n%s", diff)
			}
			if got := c.Grants[0].Hash; !strings.HasPrefix(got, tt.prefix) || !contract.IsHash(got) {
				t.Errorf("got hash %s, want prefix %s", got, tt.prefix)
			}
		})
	}
}

func TestWhatIsBuiltComesBack(t *testing.T) {
	d := draft()
	c := build(t, d)
	g := c.Grants[0]
	if diff := cmp.Diff(d.Connections[0].Terms, g.Terms); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	want := contract.Outway{PeerID: assen, DomainName: gateway}
	if g.Outway != want || g.Service.PeerID != hub || g.Service.Name != "bag" || !c.NotAfter.Equal(d.NotAfter.Truncate(time.Second)) {
		t.Errorf("got grant %+v", g)
	}
	if again := build(t, d); again.Hash() == c.Hash() {
		t.Error("two contracts have one hash: the iv is not fresh")
	}
	d.IV = c.IV
	if again := build(t, d); again.Hash() != c.Hash() {
		t.Error("the same draft with the same iv gives another hash")
	}
	own := draft()
	own.Connections[0].Consumer = hub
	if got := build(t, own).Signers(); len(got) != 1 {
		t.Errorf("own use needs signers %v, want one", got)
	}
}
