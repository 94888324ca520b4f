package intake

import "noorderhub.nl/hub/services/registry/internal/designrules"

// nextSteps tells per rule what the provider does about a fault.
var nextSteps = map[string]designrules.Text{
	"unreadable": {
		NL: "Controleer het bestand met een OpenAPI-editor en lever het opnieuw aan.",
		EN: "Check the file with an OpenAPI editor and provide it again.",
	},
	"syntax": {
		NL: "Verbeter de genoemde regel: het bestand moet JSON of YAML zijn, in UTF-8, met één document.",
		EN: "Mend the line that is named: the file must be JSON or YAML, in UTF-8, with one document.",
	},
	"too-large": {
		NL: "Lever een kleinere beschrijving aan: hooguit 8 MiB, een miljoen waarden, 200 niveaus diep en 20.000 verwijzingen, hooguit 20 achter elkaar.",
		EN: "Provide a smaller description: at most 8 MiB, a million values, 200 levels deep and 20,000 references, at most 20 after each other.",
	},
	"too-much-work": {
		NL: "Maak de schema's eenvoudiger: ze verwijzen zo vaak naar elkaar dat controleren te lang duurt.",
		EN: "Simplify the schemas: they refer to each other so often that checking takes too long.",
	},
	"version": {
		NL: "Lever OpenAPI 3.0, OpenAPI 3.1 of Swagger 2.0 aan, met de versie bovenaan als tekst, bijvoorbeeld openapi: 3.0.3.",
		EN: "Provide OpenAPI 3.0, OpenAPI 3.1 or Swagger 2.0, with the version at the top as text, for example openapi: 3.0.3.",
	},
	"title": {
		NL: "Vul info.title en info.version in, allebei als tekst.",
		EN: "Fill in info.title and info.version, both as text.",
	},
	"external-reference": {
		NL: "Neem op wat in het andere bestand staat (bundel de beschrijving); de hub haalt niets op.",
		EN: "Include what the other file holds (bundle the description); the hub fetches nothing.",
	},
	"broken-reference": {
		NL: "Neem op waar naar verwezen wordt, of verbeter de verwijzing.",
		EN: "Include what is referred to, or correct the reference.",
	},
	"swagger": {
		NL: "Zet de beschrijving zelf om naar OpenAPI 3 en lever die aan.",
		EN: "Convert the description to OpenAPI 3 yourself and provide that.",
	},
	"paths": {
		NL: "Beschrijf onder paths minstens één pad met een operatie.",
		EN: "Describe at least one path with an operation under paths.",
	},
	"path": {
		NL: "Schrijf het pad als /vaste-delen/{parameter}, zonder schuine streep aan het eind, en elk pad één keer.",
		EN: "Write the path as /fixed-parts/{parameter}, without a slash at the end, and each path once.",
	},
	"operation-id": {
		NL: "Geef de operatie een eigen operationId van letters, cijfers en _ . ~ -, of laat het weg: dan stelt de hub er een voor.",
		EN: "Give the operation an operationId of its own of letters, digits and _ . ~ -, or leave it out: then the hub proposes one.",
	},
	"scope": {
		NL: "Noem per operatie één scope die met de naam van de dienst en een punt begint, of geen: dan stelt de hub er een voor.",
		EN: "Name one scope per operation that begins with the name of the service and a dot, or none: then the hub proposes one.",
	},
	"structure": {
		NL: "Breng het genoemde onderdeel in overeenstemming met de OpenAPI-specificatie.",
		EN: "Make the part that is named follow the OpenAPI Specification.",
	},
}
