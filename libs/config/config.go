// Package config reads the configuration file of a binary into one strict struct: an unknown key, a wrong type and every
// rule of Validate are reported together, and what it prints holds no secret.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Validator is a configuration with rules of its own; it joins all faults with errors.Join.
type Validator interface {
	Validate() error
}

// Checker is a configuration that can look at what it names: that files can be read and say what they should, that keys
// fit certificates, that addresses can be understood. It joins all faults with errors.Join, skips what is empty, for
// Validate says what must be there, and reaches out to nothing on the network.
type Checker interface {
	Check() error
}

// LoadToRun is Load, and Check at the same time: before anything starts, every fault of the file and of what it names is
// known.
func LoadToRun(path string, dst any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	err = Parse(text, dst)
	if c, ok := dst.(Checker); ok {
		err = errors.Join(err, c.Check())
	}
	if err != nil {
		return fmt.Errorf("configuration %s:\n%w", path, err)
	}
	return nil
}

// Load reads the YAML file at path into dst, a pointer to a struct that holds the defaults. All faults come at once.
func Load(path string, dst any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := Parse(text, dst); err != nil {
		return fmt.Errorf("configuration %s:\n%w", path, err)
	}
	return nil
}

// Parse is Load for a text.
func Parse(text []byte, dst any) error {
	var faults []error
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	switch err := dec.Decode(dst); {
	case errors.Is(err, io.EOF): // an empty file: the defaults
	case err != nil:
		faults = append(faults, yamlFaults(err)...)
	default:
		if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
			faults = append(faults, errors.New("more than one YAML document"))
		}
	}
	if v, ok := dst.(Validator); ok {
		if err := v.Validate(); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func yamlFaults(err error) []error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return []error{err}
	}
	faults := make([]error, 0, len(typed.Errors))
	for _, text := range typed.Errors {
		faults = append(faults, errors.New(text))
	}
	return faults
}

// Print writes cfg as YAML; secrets show as ***.
func Print(w io.Writer, cfg any) error {
	enc := yaml.NewEncoder(w)
	if err := enc.Encode(cfg); err != nil {
		return err
	}
	return enc.Close()
}

// Secret is a string that never shows: not in Print, not in a log, not in an error. Reveal gives it to who needs it.
type Secret string

const hidden = "***"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalYAML takes the secret itself, or reads it from a file with "file:PATH", without the line end.
func (s *Secret) UnmarshalYAML(node *yaml.Node) error {
	var text string
	if err := node.Decode(&text); err != nil {
		return fmt.Errorf("line %d: a secret must be a string", node.Line)
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("line %d: secret: %w", node.Line, err)
		}
		text = strings.TrimRight(string(content), "\r\n")
	}
	*s = Secret(text)
	return nil
}

// Reveal gives the secret.
func (s Secret) Reveal() string { return string(s) }

// Duration stands in YAML as "5s" or "1m30s".
type Duration time.Duration

// D gives the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 5s", text)
	}
	*d = Duration(v)
	return nil
}
