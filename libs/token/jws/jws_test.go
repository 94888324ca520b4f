package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/token/jws"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	raw, err := jws.SignES256(key, jws.EncodeHeader([]byte(header)), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func ExampleParse() {
	m, err := jws.Parse(b64(`{"alg":"ES256","kid":"k1","typ":"JWT"}`)+"."+b64(`{"sub":"c"}`)+"."+b64("signature"), 1024)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Alg, m.KeyID, m.Type, string(m.Payload))
	// Output: ES256 k1 JWT {"sub":"c"}
}

func TestAMessageIsReadInItsOneCanonicalFormOnly(t *testing.T) {
	key := newKey(t)
	good := sign(t, key, `{"alg":"ES256"}`, `{"a":1}`)
	head, rest, _ := strings.Cut(good, ".")
	body, tail, _ := strings.Cut(rest, ".")
	// 64 bytes leave 4 unused bits in the last character: three other characters decode to the same signature.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, tail[len(tail)-1])
	twin := tail[:len(tail)-1] + string(alphabet[last^1])
	for name, raw := range map[string]string{
		"two parts":                        head + "." + body,
		"four parts":                       good + ".x",
		"five parts as JWE has":            good + ".x.y",
		"empty":                            "",
		"a last character with spare bits": head + "." + body + "." + twin,
		"padding":                          head + "." + body + "." + tail + "==",
		"a line break":                     head + "." + body + "." + tail[:10] + "\n" + tail[10:],
		"a carriage return":                head + ".\r" + body + "." + tail,
		"standard alphabet":                head + "." + body + "." + strings.Repeat("+", 86),
		"a header that is an array":        b64(`[]`) + "." + body + "." + tail,
		"a header that is null":            b64(`null`) + "." + body + "." + tail,
		"alg twice":                        b64(`{"alg":"none","alg":"ES256"}`) + "." + body + "." + tail,
		"alg twice, one escaped":           b64(`{"alg":"none","\u0061lg":"ES256"}`) + "." + body + "." + tail,
		"alg as number":                    b64(`{"alg":1}`) + "." + body + "." + tail,
		"kid as null":                      b64(`{"alg":"ES256","kid":null}`) + "." + body + "." + tail,
		"crit":                             b64(`{"alg":"ES256","crit":["exp"],"exp":1}`) + "." + body + "." + tail,
		"b64 false":                        b64(`{"alg":"ES256","b64":false}`) + "." + body + "." + tail,
		"zip":                              b64(`{"alg":"ES256","zip":"DEF"}`) + "." + body + "." + tail,
		"text behind the header":           b64(`{"alg":"ES256"}{}`) + "." + body + "." + tail,
		"bytes that are not UTF-8":         b64("{\"alg\":\"ES256\",\"x\":\"\xff\"}") + "." + body + "." + tail,
		"too long":                         good + strings.Repeat("A", 5000),
	} {
		if _, err := jws.Parse(raw, 4096); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
	m, err := jws.Parse(good, 4096)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(key.Public()); err != nil {
		t.Error(err)
	}
}

func TestDeepNestingIsRefusedWithoutEffort(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	if _, err := jws.ParseObject([]byte(deep)); err == nil {
		t.Error("100,000 levels were read")
	}
	if _, err := jws.ParseObject([]byte(strings.Repeat("[", 100_000))); err == nil {
		t.Error("100,000 brackets were read")
	}
	if _, err := jws.ParseObject([]byte(`{"cnf":{"jkt":"a"},"l":[[1]]}`)); err != nil {
		t.Error(err)
	}
}

func TestVerifyTakesEachAlgorithmWithItsOwnKeyOnly(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // the weak key of the test
	weak := err == nil
	if !weak {
		t.Logf("this Go makes no RSA key of 1024 bits (%v): that case is left out", err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256 := newKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaMessage := func(alg string, key *rsa.PrivateKey, salt int) string {
		input := b64(`{"alg":"`+alg+`"}`) + "." + b64(`{}`)
		sum := sha256.Sum256([]byte(input))
		var sig []byte
		var err error
		if salt >= 0 {
			sig, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
		} else {
			sig, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		}
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64.RawURLEncoding.EncodeToString(sig)
	}
	type check struct {
		name string
		raw  string
		key  crypto.PublicKey
		want bool
	}
	checks := []check{
		{"RS256", rsaMessage("RS256", large, -1), large.Public(), true},
		{"PS256", rsaMessage("PS256", large, 32), large.Public(), true},
		{"PS256 with a salt of another length", rsaMessage("PS256", large, 20), large.Public(), false},
		{"a PSS signature that calls itself RS256", rsaMessage("RS256", large, 32), large.Public(), false},
		{"a PKCS #1 signature that calls itself PS256", rsaMessage("PS256", large, -1), large.Public(), false},
		{"ES256", sign(t, p256, `{"alg":"ES256"}`, `{}`), p256.Public(), true},
		{"ES256 with the key of another", sign(t, p256, `{"alg":"ES256"}`, `{}`), newKey(t).Public(), false},
		{"none", b64(`{"alg":"none"}`) + "." + b64(`{}`) + ".", p256.Public(), false},
		{"nOnE", b64(`{"alg":"nOnE"}`) + "." + b64(`{}`) + ".", p256.Public(), false},
		{"no alg", sign(t, p256, `{}`, `{}`), p256.Public(), false},
		{"ES256 against an RSA key", sign(t, p256, `{"alg":"ES256"}`, `{}`), large.Public(), false},
		{"RS256 against an EC key", rsaMessage("RS256", large, -1), p256.Public(), false},
		{"ES256 on P-384", sign(t, p256, `{"alg":"ES256"}`, `{}`), p384.Public(), false},
		{"no key", sign(t, p256, `{"alg":"ES256"}`, `{}`), nil, false},
		{"zeroes as signature", b64(`{"alg":"ES256"}`) + "." + b64(`{}`) + "." + b64(strings.Repeat("\x00", 64)), p256.Public(), false},
	}
	if weak {
		checks = append(checks, check{"RS256 with 1024 bits", rsaMessage("RS256", small, -1), small.Public(), false})
	}
	for _, c := range checks {
		m, err := jws.Parse(c.raw, 8192)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := m.Verify(c.key) == nil; got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMembersAreReadByTheirExactNameAndType(t *testing.T) {
	o, err := jws.ParseObject([]byte(`{"s":"x","Exp":1,"n":null,"one":"a","many":["a","b"],"mixed":["a",1],"holed":["a",null],` +
		`"int":1700000000,"frac":1700000000.75,"neg":-1,"exp":1e9,"quoted":"1700000000","big":99999999999999999999}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := o.Text("s"); got != "x" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := o.Date("Exp"); got != time.Unix(1, 0) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"n", "int", "many"} {
		if _, err := o.Text(name); err == nil {
			t.Errorf("%s was read as text", name)
		}
	}
	for _, name := range []string{"int", "frac"} {
		if got, err := o.Date(name); got.Unix() != 1700000000 || err != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"neg", "exp", "quoted", "big", "n"} {
		if name == "exp" {
			continue
		}
		if _, err := o.Date(name); err == nil {
			t.Errorf("%s was read as a date", name)
		}
	}
	if _, err := o.Date("exp"); err == nil {
		t.Error("a number with an exponent was read as a date")
	}
	if got, err := o.Date("absent"); !got.IsZero() || err != nil {
		t.Errorf("absent: got %v, %v", got, err)
	}
	if got, array, err := o.Texts("many"); len(got) != 2 || !array || err != nil {
		t.Errorf("got %v, %v, %v", got, array, err)
	}
	if got, array, err := o.Texts("one"); len(got) != 1 || array || err != nil {
		t.Errorf("got %v, %v, %v", got, array, err)
	}
	for _, name := range []string{"mixed", "holed", "int", "n"} {
		if _, _, err := o.Texts(name); err == nil {
			t.Errorf("%s was read as texts", name)
		}
	}
}

// FuzzParse holds the parser against go-jose: what it takes, go-jose takes too, with the same payload and verdict. The
// other way round does not hold: this one is stricter.
func FuzzParse(f *testing.F) {
	key := newKey(f)
	f.Add(sign(f, key, `{"alg":"ES256","kid":"k"}`, `{"sub":"x"}`))
	f.Add(sign(f, key, `{"alg":"ES256","typ":"at+jwt"}`, `{}`))
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{}`) + ".")
	f.Add(b64(`{"alg":"ES256","crit":["b64"],"b64":false}`) + "." + b64(`{}`) + "." + b64("x"))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := jws.Parse(raw, 8192)
		if err != nil || m.Verify(key.Public()) != nil {
			return
		}
		theirs, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatalf("taken here, refused by go-jose: %v", err)
		}
		payload, err := theirs.Verify(key.Public())
		if err != nil {
			t.Fatalf("verified here, not by go-jose: %v", err)
		}
		if string(payload) != string(m.Payload) {
			t.Fatalf("got payload %q, go-jose %q", m.Payload, payload)
		}
	})
}

// FuzzParseObject compares the strict reader with one that is slow and plain.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":{"a":1},"b":[{"a":1},{"a":2}]}`, `{"a":1,"a":2}`, `[{}]`, `{"a"`, `{"\ud800":1}`, `{"\ud800":1,"\udfff":2}`,
		`{"a":1,"\u0061":2}`, `{"a\"":"a,\"b","a":"{\"a\":1"}`, `{"a":["a","a",{"b":1}],"b":"a"}`, `{"a":[{"b":1,"c":[],"b":2}]}`,
		` { "a" : "\\" , "b" : [ ] } `, `{"a":1}{`, `null`, `{"":1,"":2}`, strings.Repeat(`{"a":`, 16) + `1` + strings.Repeat(`}`, 16),
		strings.Repeat(`{"a":`, 17) + `1` + strings.Repeat(`}`, 17), `{"a":` + strings.Repeat(`[`, 16) + strings.Repeat(`]`, 16) + `}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := jws.ParseObject(text)
		if want := plainlyRead(text); (err == nil) != want {
			t.Fatalf("got error %v of %q, want it read: %v", err, text, want)
		}
		if err != nil {
			return
		}
		for name := range o {
			_, _ = o.Text(name)
			_, _, _ = o.Texts(name)
			if d, err := o.Date(name); err == nil && d.Unix() < 0 {
				t.Errorf("a date before 1970")
			}
		}
	})
}

// plainlyRead tells whether text is one JSON object as ParseObject wants it, token by token.
func plainlyRead(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var object map[string]any
	if !utf8.Valid(text) || !plainlyScan(dec, 0) || json.Unmarshal(text, &object) != nil || object == nil {
		return false
	}
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

func plainlyScan(dec *json.Decoder, depth int) bool {
	token, err := dec.Token()
	delim, container := token.(json.Delim)
	if err != nil || !container {
		return err == nil
	}
	if depth == 16 {
		return false
	}
	seen := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			name, err := dec.Token()
			text, _ := name.(string)
			if err != nil || seen[text] {
				return false
			}
			seen[text] = true
		}
		if !plainlyScan(dec, depth+1) {
			return false
		}
	}
	_, err = dec.Token()
	return err == nil
}

// BenchmarkParseObject reads the claims of a client assertion.
func BenchmarkParseObject(b *testing.B) {
	claims := []byte(`{"iss":"assen-demo","sub":"assen-demo","aud":"https://hub.example.nl","jti":"SPHJ3Y6W5H7KX2AQ4DZB4R7TQM","iat":1795478400,"exp":1795478430}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jws.ParseObject(claims); err != nil {
			b.Fatal(err)
		}
	}
}
