package designrules

// fixes tells per rule how to mend what it finds, to the people who keep the file.
var fixes = map[string]Text{
	"parser": {
		"Zet aanhalingstekens om sleutels die geen tekst zijn (\"200\" in plaats van 200) en gebruik elke sleutel één keer.",
		"Put quotes around keys that are not text (\"200\" instead of 200) and use each key once.",
	},
	"unrecognized-format": {
		"Lever een OpenAPI-beschrijving aan, met bovenaan de versie, bijvoorbeeld openapi: 3.0.3.",
		"Provide an OpenAPI description, with the version at the top, for example openapi: 3.0.3.",
	},
	"invalid-ref": {
		"Verwijs naar iets dat in dit bestand staat. Neem op wat in een ander bestand staat (bundel de beschrijving).",
		"Refer to something in this file. Include what another file holds (bundle the description).",
	},
	"oas3-schema": {
		"Breng dit onderdeel in overeenstemming met de OpenAPI-specificatie: verwijder wat er niet hoort en vul aan wat verplicht is.",
		"Make this part follow the OpenAPI Specification: remove what does not belong here and add what is required.",
	},
	"operation-operationId-unique": {
		"Geef elke operatie een eigen operationId. Verander die van een operatie die al in gebruik is liever niet.",
		"Give each operation an operationId of its own. Prefer not to change one that is in use.",
	},
	"path-params": {
		"Beschrijf elke {parameter} van het pad onder parameters met in: path en required: true, en geen andere.",
		"Describe each {parameter} of the path under parameters with in: path and required: true, and no others.",
	},
	"openapi-tags-uniqueness": {"Geef elke tag een eigen naam.", "Give each tag a name of its own."},
	"oas3-valid-media-example": {
		"Pas het voorbeeld of het schema aan, zodat het voorbeeld aan het schema voldoet.",
		"Change the example or the schema so that the example follows the schema.",
	},
	"oas3-valid-schema-example": {
		"Pas example of default aan, of het schema, zodat de waarde aan het schema voldoet.",
		"Change example or default, or the schema, so that the value follows the schema.",
	},
	"oas3-server-variables": {
		"Beschrijf elke {variabele} van de server-URL onder variables met een default, en geen andere.",
		"Describe each {variable} of the server URL under variables with a default, and no others.",
	},
	"oas3-api-servers": {
		"Noem onder servers minstens één adres waarop de API bereikbaar is.",
		"Name at least one address of the API under servers.",
	},
	"path-keys-no-trailing-slash": {
		"Haal de schuine streep aan het eind van het pad weg.",
		"Remove the slash at the end of the path.",
	},
	"nlgov:openapi3": {
		"Gebruik OpenAPI 3.0 of 3.1 en schrijf de versie voluit, bijvoorbeeld openapi: 3.0.3.",
		"Use OpenAPI 3.0 or 3.1 and write the version in full, for example openapi: 3.0.3.",
	},
	"nlgov:openapi-root-exists": {
		"Zet bovenaan het bestand de versie van OpenAPI, bijvoorbeeld openapi: 3.0.3.",
		"Put the version of OpenAPI at the top of the file, for example openapi: 3.0.3.",
	},
	"nlgov:missing-version-header": {
		"Beschrijf bij dit antwoord de header API-Version met het volledige versienummer.",
		"Describe the header API-Version, with the full version number, for this response.",
	},
	"nlgov:missing-header": {
		"Beschrijf bij dit antwoord onder headers de header API-Version met het volledige versienummer.",
		"Describe the header API-Version, with the full version number, under headers of this response.",
	},
	"nlgov:include-major-version-in-uri": {
		"Neem de hoofdversie op in de server-URL, bijvoorbeeld https://api.gemeente.nl/adressen/v1.",
		"Put the major version in the server URL, for example https://api.gemeente.nl/adressen/v1.",
	},
	"nlgov:paths-no-trailing-slash": {
		"Haal de schuine streep aan het eind van het pad weg.",
		"Remove the slash at the end of the path.",
	},
	"info-contact": {
		"Vul info.contact met name, email en url van wie vragen over de API beantwoordt.",
		"Fill info.contact with name, email and url of whoever answers questions about the API.",
	},
	"nlgov:info-contact-fields-exist": {
		"Vul in info.contact alle drie de velden: name, email en url.",
		"Fill in all three fields of info.contact: name, email and url.",
	},
	"nlgov:http-methods": {
		"Gebruik alleen de methoden get, post, put, patch en delete.",
		"Use the methods get, post, put, patch and delete only.",
	},
	"nlgov:paths-kebab-case": {
		"Schrijf padsegmenten met kleine letters, cijfers en koppeltekens, bijvoorbeeld /zaak-informatie-objecten.",
		"Write path segments in lower case with digits and hyphens, for example /case-information-objects.",
	},
	"nlgov:query-keys-camel-case": {
		"Schrijf de naam van de queryparameter in lowerCamelCase, bijvoorbeeld huisnummerToevoeging.",
		"Write the name of the query parameter in lowerCamelCase, for example houseNumberSuffix.",
	},
	"nlgov:schema-camel-case": {
		"Schrijf de naam van het schema in UpperCamelCase, bijvoorbeeld ZaakBesluit.",
		"Write the name of the schema in UpperCamelCase, for example CaseRuling.",
	},
	"nlgov:servers-use-https": {
		"Maak van http:// https://. Zonder TLS is niemand zeker wie antwoordt en wie meeleest.",
		"Turn http:// into https://. Without TLS nobody knows who answers and who reads along.",
	},
	"nlgov:use-problem-schema": {
		"Geef foutantwoorden het type application/problem+json (RFC 9457).",
		"Give error responses the type application/problem+json (RFC 9457).",
	},
	"nlgov:problem-schema-members": {
		"Neem in het schema van het foutantwoord de velden status, title en detail op.",
		"Put the fields status, title and detail in the schema of the error response.",
	},
	"nlgov:problem-invalid-input": {
		"Beschrijf bij deze operatie het antwoord 400 voor onjuiste invoer.",
		"Describe response 400, for invalid input, for this operation.",
	},
	"nlgov:property-casing": {
		"Schrijf namen van velden in lowerCamelCase.",
		"Write names of properties in lowerCamelCase.",
	},
	"nlgov:date-time-ensure-timezone": {
		"Gebruik het format date-time, met tijdzone.",
		"Use the format date-time, with a time zone.",
	},
	"nlgov:time-without-timezone": {
		"Gebruik voor een tijd zonder datum het format time-local.",
		"Use the format time-local for a time without a date.",
	},
	"nlgov:specify-format-for-date-and-time": {
		"Geef het datumveld format: date.",
		"Give the date field format: date.",
	},
	"nlgov:use-date-instead-of-datetime": {
		"Geef het datumveld format: date. Heeft het ook een tijd, noem het dan niet datum.",
		"Give the date field format: date. If it has a time too, do not call it a date.",
	},
	"nlgov:semver": {
		"Schrijf info.version als drie getallen, bijvoorbeeld 1.4.0.",
		"Write info.version as three numbers, for example 1.4.0.",
	},
	"hub:sensitive-parameter": {
		"Vraag het BSN in de body van een POST, bijvoorbeeld op een resource _zoek. Adressen komen in logs en geschiedenissen terecht.",
		"Ask for the citizen service number in the body of a POST, for example on a resource _zoek. Addresses end up in logs and histories.",
	},
	"hub:key-in-query": {
		"Neem de sleutel in een header op, of gebruik OAuth. Adressen komen in logs en geschiedenissen terecht.",
		"Take the key in a header, or use OAuth. Addresses end up in logs and histories.",
	},
	"hub:sign-in-over-http": {
		"Maak van http:// https://. Wat hierlangs gaat, zijn sleutels en tokens.",
		"Turn http:// into https://. What passes here are keys and tokens.",
	},
}
