package api

import "time"

// ChannelBody is a way in which an organisation is told, beside the feed.
type ChannelBody struct {
	Kind     string   `json:"soort"`                 // mail or webhook
	Address  string   `json:"adres"`                 // mail address, or https URL
	Own      bool     `json:"persoonlijk,omitempty"` // mail: of the person who asks, not of a team
	Digest   bool     `json:"dagoverzicht,omitempty"`
	Language string   `json:"taal,omitempty"`    // nl or en, of mail; default nl
	Types    []string `json:"soorten,omitempty"` // events it wants; none: all
	CA       string   `json:"ca,omitempty"`      // webhook: PEM of the receiver's authority
	Pin      string   `json:"pin,omitempty"`     // webhook: base64 of the SHA-256 of the receiver's public key
}

// ChannelView is a channel with how it fares.
type ChannelView struct {
	ID string `json:"id"`
	ChannelBody
	Person  string      `json:"persoon,omitempty"`
	State   string      `json:"toestand"` // active or ended
	Rate    int         `json:"perMinuut,omitempty"`
	Created time.Time   `json:"sinds"`
	Last    *ResultView `json:"laatste,omitempty"`
}

// ResultView is how the last try ended.
type ResultView struct {
	At   time.Time `json:"op"`
	OK   bool      `json:"gelukt"`
	Text string    `json:"uitkomst"`
}

// RetryBody names an event to send again; none: all that is parked.
type RetryBody struct {
	Event string `json:"gebeurtenis,omitempty"`
}

// RetryView tells how many are sent again.
type RetryView struct {
	Count int `json:"aantal"`
}

// MuteBody keeps channels quiet for a time. Channel, person and type each narrow it.
type MuteBody struct {
	Channel string    `json:"kanaal,omitempty"`
	Person  string    `json:"persoon,omitempty"`
	Type    string    `json:"soort,omitempty"`
	Until   time.Time `json:"tot"`
}

// MuteView is a mute with who asked for it.
type MuteView struct {
	ID string `json:"id"`
	By string `json:"door"`
	MuteBody
}

// DeliveryView is an event that could not be delivered through a channel.
type DeliveryView struct {
	Event    string    `json:"gebeurtenis"`
	Type     string    `json:"soort"`
	Channel  string    `json:"kanaal"`
	State    string    `json:"toestand"`
	Attempts int       `json:"pogingen"`
	Result   string    `json:"uitkomst"`
	When     time.Time `json:"op"`
}
