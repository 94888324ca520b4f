package api

import "time"

// TemplateBody are the terms on which a provider agrees to its service. Of its grant, service and terms count.
type TemplateBody struct {
	Title string     `json:"titel"`
	Days  int        `json:"dagen"` // how long a contract of it lasts
	Grant GrantDraft `json:"toestemming"`
}

// TemplateView is a template with whose it is.
type TemplateView struct {
	ID       string `json:"id"`
	Provider string `json:"aanbieder"` // OIN
	TemplateBody
}

// OfferBody offers a template to many organisations.
type OfferBody struct {
	Template  string    `json:"sjabloon"` // id
	Title     string    `json:"titel"`
	From      time.Time `json:"geldigVanaf"`
	Till      time.Time `json:"geldigTot,omitzero"` // none: as long as the template says
	Consumers []string  `json:"afnemers"`           // OINs
}

// OfferView is an offer with where each of its contracts stands.
type OfferView struct {
	ID       string         `json:"id"`
	Template string         `json:"sjabloon"`
	Title    string         `json:"titel"`
	Since    time.Time      `json:"sinds"`
	Signed   int            `json:"getekend"`
	Waiting  int            `json:"wachtend"`
	Declined int            `json:"afgewezen"`
	Ended    int            `json:"voorbij"`
	Lines    []OfferLineRow `json:"afspraken"`
}

// OfferLineRow is one organisation on the board of an offer.
type OfferLineRow struct {
	OIN      string     `json:"oin"`
	Name     string     `json:"naam"`
	Contract string     `json:"afspraak"` // hash
	State    string     `json:"toestand"`
	Since    *time.Time `json:"sinds,omitempty"` // since when it waits, or stands as it is
	Reminded *time.Time `json:"herinnerd,omitempty"`
	Reason   string     `json:"reden,omitempty"`
	Waiting  []Waiting  `json:"wachtOp,omitempty"`
}

// CountView tells for how many contracts something was done.
type CountView struct {
	Count int `json:"aantal"`
}
