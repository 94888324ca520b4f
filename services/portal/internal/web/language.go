package web

import (
	"net/http"
	"strconv"
	"strings"
)

const (
	dutch   = "nl"
	english = "en"
)

func other(lang string) string {
	if lang == dutch {
		return english
	}
	return dutch
}

// language chooses the language of a page: ?taal= if it names one of ours, else the browser's first choice among them,
// else Dutch. query keeps an explicit choice in links.
func language(r *http.Request) (lang, query string) {
	if chosen := r.URL.Query().Get("taal"); chosen == dutch || chosen == english {
		return chosen, "?taal=" + chosen
	}
	return accepted(r.Header.Get("Accept-Language")), ""
}

// accepted reads Accept-Language (RFC 9110 §12.5.4).
func accepted(header string) string {
	best, bestQuality := dutch, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if primary != dutch && primary != english {
			continue
		}
		quality := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			quality = q
		}
		if quality > bestQuality {
			best, bestQuality = primary, quality
		}
	}
	return best
}

// words are the fixed texts of the pages.
type words map[string]string

// texts has the same keys in both languages; a test proves it.
var texts = map[string]words{
	dutch: {
		"skip": "Naar de inhoud", "menu": "Hoofdmenu", "home": "Begin", "errors": "Foutmeldingen", "status": "Status", "switch": "English",
		"landing-title": "Noorderhub: diensten delen tussen gemeenten",
		"landing-lead":  "Via de hub gebruikt een gemeente de diensten van een andere organisatie. Beide kanten kunnen laten zien wie wat vroeg, op grond van welke afspraak en met welk doel.",
		"landing-use":   "Een dienst gebruiken", "landing-use-text": "Spreek met de aanbieder af wat u mag opvragen en waarvoor. Daarna vraagt uw applicatie een toegangstoken en roept zij de dienst aan.",
		"landing-help": "Lukt een aanroep niet?", "landing-help-text": "In het antwoord staat een code. Bij elke code hoort een uitleg: wat er is gebeurd, wie het kan oplossen en wat u nu kunt doen.",
		"landing-help-link": "Alle foutmeldingen", "landing-docs": "Beschrijvingen van de API's", "landing-metadata": "Gegevens van de autorisatieserver", "landing-address": "Adressen opzoeken", "landing-journal": "Journaal: wat er is gebeurd",
		"errors-title": "Foutmeldingen", "errors-lead": "Zoek de code op die in het veld code van het antwoord staat.", "errors-code": "Code", "errors-meaning": "Betekenis", "errors-who": "Wie lost het op",
		"what": "Wat is er gebeurd?", "who": "Wie kan dit oplossen?", "next": "Wat kunt u nu doen?", "example": "Voorbeeld van het antwoord", "example-note": "Geef bij een vraag aan de beheerder altijd de traceId door.", "back": "Terug naar alle foutmeldingen",
		"side-client": "De maker of beheerder van de applicatie die de aanroep doet", "side-organisation": "Uw eigen organisatie", "side-provider": "De organisatie die de dienst aanbiedt", "side-hub": "De beheerders van de hub",
		"status-title": "Status van de hub", "status-ok": "Alles werkt.", "status-verstoord": "Er is een storing.", "status-onbekend": "Van sommige onderdelen weten we nu niet of ze werken.", "status-part": "Onderdeel", "status-state": "Toestand", "state-ok": "Werkt", "state-verstoord": "Storing", "state-onbekend": "Onbekend", "status-at": "Gemeten op",
		"part-gateway": "ontvangt alle aanroepen", "part-authserver": "geeft toegangstokens", "part-registry": "kent de afspraken", "part-address": "zoekt adressen op", "part-journal": "legt vast wat er gebeurt", "part-portal": "deze pagina's",
		"missing-title": "Deze pagina bestaat niet", "missing-text": "Controleer het adres, of begin opnieuw op de beginpagina.",
		"security": "Beveiligingslek melden",
	},
	english: {
		"skip": "Skip to content", "menu": "Main menu", "home": "Home", "errors": "Error messages", "status": "Status", "switch": "Nederlands",
		"landing-title": "Noorderhub: municipalities share services",
		"landing-lead":  "Through the hub, a municipality uses the services of another organisation. Both sides can show who asked for what, under which agreement and for which purpose.",
		"landing-use":   "Use a service", "landing-use-text": "Agree with the provider what you may ask for and why. Then your application gets an access token and calls the service.",
		"landing-help": "Does a call fail?", "landing-help-text": "The answer holds a code. Every code has an explanation: what happened, who can mend it and what you can do now.",
		"landing-help-link": "All error messages", "landing-docs": "Descriptions of the APIs", "landing-metadata": "Metadata of the authorization server", "landing-address": "Look up addresses", "landing-journal": "Journal: what happened",
		"errors-title": "Error messages", "errors-lead": "Look for the code in the field code of the answer.", "errors-code": "Code", "errors-meaning": "Meaning", "errors-who": "Who can mend it",
		"what": "What happened?", "who": "Who can mend this?", "next": "What can you do now?", "example": "Example of the answer", "example-note": "When you ask the operators for help, always give them the traceId.", "back": "Back to all error messages",
		"side-client": "The makers or operators of the application that calls", "side-organisation": "Your own organisation", "side-provider": "The organisation that offers the service", "side-hub": "The operators of the hub",
		"status-title": "Status of the hub", "status-ok": "Everything works.", "status-verstoord": "There is a disruption.", "status-onbekend": "Of some parts we do not know now whether they work.", "status-part": "Part", "status-state": "State", "state-ok": "Works", "state-verstoord": "Disrupted", "state-onbekend": "Unknown", "status-at": "Measured at",
		"part-gateway": "receives all calls", "part-authserver": "gives access tokens", "part-registry": "knows the agreements", "part-address": "looks up addresses", "part-journal": "records what happens", "part-portal": "these pages",
		"missing-title": "This page does not exist", "missing-text": "Check the address, or start again at the home page.",
		"security": "Report a vulnerability",
	},
}
