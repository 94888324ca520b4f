package httpapi_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/services/registry/api"
)

func TestTheDescriptionsAreValidAndNameWhatIsServed(t *testing.T) {
	for name, tt := range map[string]struct {
		text  []byte
		paths map[string]string
	}{
		"beheer": {api.OpenAPI, map[string]string{"/organisaties": "GET", "/diensten": "GET", "/afspraken": "GET"}},
		"intern": {api.InternalOpenAPI, map[string]string{"/snapshot": "GET", "/sleutels/{part}/{instance}": "PUT", "/herladen": "POST"}},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := doc.Paths.Len(), len(tt.paths); got != want {
			t.Errorf("%s: got %d paths, want %d", name, got, want)
		}
		for path, method := range tt.paths {
			item := doc.Paths.Value(path)
			if item == nil || item.GetOperation(method) == nil {
				t.Errorf("%s: %s %s is not described", name, method, path)
			}
		}
	}
}
