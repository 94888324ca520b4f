package region

import (
	"strings"

	"noorderhub.nl/hub/services/registry/internal/directory"
)

// places tell where in the region file an entity stands, so that a fault of the directory is told where it can be mended.
type places map[directory.Key]place

type place struct {
	file   string            // "" is the region file
	name   string            // e.g. "clients[3] assen-vergunningen"
	fields map[string]string // names of fields with the file they were read from: "keys[0]" → "keys[0] client.pem"
}

// put adds an entity; its place is told by f.
func (l *loader) put(e directory.Entity, f faults, fields map[string]string) {
	l.entities = append(l.entities, e)
	l.places[e.Key()] = place{file: f.file, name: f.place, fields: fields}
}

// tell adds a fault of the directory. What follows from a file that could not be read is not told again.
func (l *loader) tell(found directory.Fault) {
	p := l.places[found.Key]
	f := l.faults
	if p.file != "" {
		f = l.faults.in(p.file)
	}
	f.place = p.name
	field, rest := found.Field, ""
	for prefix, named := range p.fields {
		if after, ok := strings.CutPrefix(found.Field, prefix); ok && (after == "" || after[0] == '.') {
			field, rest = named, strings.TrimPrefix(after, ".")
		}
	}
	for _, step := range []string{field, rest} {
		if step != "" {
			f = f.at("%s", step)
		}
	}
	f.add("%s", found.Reason)
}
