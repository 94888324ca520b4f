package cache

import (
	"net/http"
	"testing"
	"time"
)

func TestAnAnswerLivesNoLongerThanServiceAndContractSay(t *testing.T) {
	const agreed = time.Minute
	date := "Mon, 23 Nov 2026 12:00:00 GMT"
	for name, tc := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"the contract where the service is silent": {nil, agreed},
		"the service where it is shorter":          {http.Header{"Cache-Control": {"public, max-age=10"}}, 10 * time.Second},
		"the contract where it is shorter":         {http.Header{"Cache-Control": {"max-age=3600"}}, agreed},
		"what is for shared caches first":          {http.Header{"Cache-Control": {"max-age=3600, s-maxage=20"}}, 20 * time.Second},
		"less what it spent elsewhere":             {http.Header{"Cache-Control": {"max-age=30"}, "Age": {"12"}}, 18 * time.Second},
		"an Age that is none counts for nothing":   {http.Header{"Cache-Control": {"max-age=30"}, "Age": {"x"}}, 30 * time.Second},
		"Expires after Date":                       {http.Header{"Date": {date}, "Expires": {"Mon, 23 Nov 2026 12:00:05 GMT"}}, 5 * time.Second},
		"Expires that is no date":                  {http.Header{"Date": {date}, "Expires": {"0"}}, 0},
		"max-age before Expires":                   {http.Header{"Cache-Control": {"max-age=7"}, "Date": {date}, "Expires": {date}}, 7 * time.Second},
		"nought":                                   {http.Header{"Cache-Control": {"max-age=0"}}, 0},
		"a number that is none":                    {http.Header{"Cache-Control": {"max-age=soon"}}, 0},
		"a negative number":                        {http.Header{"Cache-Control": {"max-age=-5"}}, 0},
		"numbers that contradict":                  {http.Header{"Cache-Control": {"max-age=5, max-age=50"}}, 0},
		"no-store in capitals":                     {http.Header{"Cache-Control": {"max-age=5", "No-Store"}}, 0},
		"private with field names":                 {http.Header{"Cache-Control": {`private="x-a"`}}, 0},
		"no-cache":                                 {http.Header{"Cache-Control": {"no-cache"}}, 0},
		"Vary with what is in the name":            {http.Header{"Vary": {"accept-encoding, Accept", "ORIGIN"}}, agreed},
		"Vary with a star":                         {http.Header{"Vary": {"*"}}, 0},
		"Vary with the token":                      {http.Header{"Vary": {"Authorization"}}, 0},
	} {
		resp := &http.Response{StatusCode: 200, Header: tc.header}
		if tc.header == nil {
			resp.Header = http.Header{}
		}
		if got := lifetime(resp, agreed); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
	for _, status := range []int{100, 201, 203, 204, 206, 301, 304, 404, 410, 500, 503} {
		if got := lifetime(&http.Response{StatusCode: status, Header: http.Header{"Cache-Control": {"max-age=60"}}}, agreed); got != 0 {
			t.Errorf("status %d: got %s, want it not kept", status, got)
		}
	}
}

func TestTheClientSaysWhetherAKeptAnswerWillDo(t *testing.T) {
	for name, tc := range map[string]struct {
		method string
		header http.Header
		want   wish
	}{
		"nothing said":        {"GET", nil, wish{true, true, -1}},
		"no-cache":            {"GET", http.Header{"Cache-Control": {"no-cache"}}, wish{false, true, -1}},
		"no-cache of old":     {"GET", http.Header{"Pragma": {"no-cache"}}, wish{false, true, -1}},
		"no-store":            {"GET", http.Header{"Cache-Control": {"no-store"}}, wish{}},
		"an age":              {"GET", http.Header{"Cache-Control": {"max-age=5"}}, wish{true, true, 5 * time.Second}},
		"an age that is none": {"GET", http.Header{"Cache-Control": {"max-age=x"}}, wish{true, true, 0}},
		"a condition":         {"GET", http.Header{"If-None-Match": {`"a"`}}, wish{true, false, -1}},
		"another condition":   {"GET", http.Header{"If-Modified-Since": {"x"}}, wish{}},
		"a part":              {"GET", http.Header{"Range": {"bytes=0-1"}}, wish{}},
		"the head":            {"HEAD", nil, wish{true, false, -1}},
	} {
		if got := wishOf(&http.Request{Method: tc.method, Header: tc.header}); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestEntityTagsAreComparedWeakly(t *testing.T) {
	for _, tc := range []struct {
		line, tag string
		want      bool
	}{
		{`"a"`, `"a"`, true}, {`W/"a"`, `"a"`, true}, {`"a"`, `W/"a"`, true}, {`"b", W/"a"`, `"a"`, true}, {`"x,y"`, `"x,y"`, true},
		{`*`, `"a"`, true}, {`*`, "", true}, {`"b"`, `"a"`, false}, {`a`, `"a"`, false}, {`"a`, `"a"`, false}, {`"a"`, "", false},
		{`"x,"a",y"`, `"a"`, false},
	} {
		if got := matches([]string{tc.line}, tc.tag); got != tc.want {
			t.Errorf("%s with %s: got %v", tc.line, tc.tag, got)
		}
	}
}
