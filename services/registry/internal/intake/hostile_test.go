package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/internal/intake"
)

// TestHostileTextsEndSoon gives Read the texts that cost the most; none may take longer than people wait for an upload.
func TestHostileTextsEndSoon(t *testing.T) {
	const patience = 30 * time.Second // with the race detector, on a slow machine; without, each takes about one at most
	const path = "paths: {/a: {get: {responses: {'200': {description: ok}}}}}\n"
	schemas := func(n int, schema func(i int) string) string {
		var out strings.Builder
		out.WriteString(head + path + "components:\n  schemas:\n")
		for i := range n {
			fmt.Fprintf(&out, "    S%d: %s\n", i, schema(i))
		}
		fmt.Fprintf(&out, "    S%d: {type: string}\n", n)
		return out.String()
	}
	for name, text := range map[string]string{
		"a list of lists":           head + path + "x-a: [" + strings.Repeat("[],", 200_000) + "[]]",
		"a long line of brackets":   strings.Repeat("[", 4<<20),
		"a long line of braces":     strings.Repeat("{a: ", 1<<20),
		"JSON of nothing but depth": strings.Repeat(`{"a":`, 1<<20),
		"a chain of references": schemas(3_000, func(i int) string {
			return fmt.Sprintf("{$ref: '#/components/schemas/S%d'}", i+1)
		}),
		"a chain of schemas": schemas(3_000, func(i int) string {
			return fmt.Sprintf("{type: object, example: {a: 1}, properties: {a: {$ref: '#/components/schemas/S%d'}}}", i+1)
		}),
		"schemas that unfold": schemas(60, func(i int) string {
			return fmt.Sprintf("{type: object, example: {a: 1}, properties: {a: {$ref: '#/components/schemas/S%[1]d'}, b: {$ref: '#/components/schemas/S%[1]d'}}}", i+1)
		}),
		"alternatives that unfold": schemas(60, func(i int) string {
			return fmt.Sprintf("{type: integer, example: 1, anyOf: [{$ref: '#/components/schemas/S%[1]d'}, {not: {$ref: '#/components/schemas/S%[1]d'}}]}", i+1)
		}),
		"a ring of schemas": schemas(5_000, func(i int) string {
			return fmt.Sprintf("{properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}}}", (i+1)%5_000, (i*7)%5_000)
		}),
		"a long enumeration": head + path + "components: {schemas: {A: {type: array, uniqueItems: true, items: {enum: [" +
			strings.Repeat("{a: 1},", 20_000) + "1]}, example: [" + strings.Repeat("2,", 20_000) + "1]}}}",
		"an expression that backtracks": head + path + "components: {schemas: {A: {type: string, pattern: '^(a+)+$', example: " + strings.Repeat("a", 1<<20) + "!}}}",
		"thousands of operations": head + "paths:\n" + func() string {
			var out strings.Builder
			for i := range 5_000 {
				fmt.Fprintf(&out, "  /p%d: {get: {responses: {'200': {description: ok}}}}\n", i)
			}
			return out.String()
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			d, findings, err := intake.Read(t.Context(), "zaken", []byte(text))
			if d != nil {
				intake.Compare(d, d)
			}
			took := time.Since(start)
			t.Logf("%d kB in %s, %d findings, error %.100v", len(text)>>10, took.Round(time.Millisecond), len(findings), err)
			if took > patience {
				t.Errorf("took %s", took)
			}
		})
	}
}
