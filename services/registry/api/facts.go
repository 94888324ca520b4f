package api

import "time"

// ServiceFacts are what people want to know of a service beside its description.
type ServiceFacts struct {
	Purpose      string    `json:"doel,omitempty"`
	LegalBasis   string    `json:"grondslag,omitempty"`
	Activity     string    `json:"verwerkingsactiviteit,omitempty"` // URI
	DataClass    string    `json:"gegevensklasse,omitempty"`        // openbaar, intern, vertrouwelijk or bijzonder
	Health       string    `json:"gezondheidspad,omitempty"`        // on the upstream
	CacheSeconds *int      `json:"bewaarSeconden,omitempty"`        // the most that a contract may say
	Logging      string    `json:"logging,omitempty"`
	Availability string    `json:"beschikbaarheid,omitempty"` // promised, in percent of a month
	Support      string    `json:"ondersteuning,omitempty"`
	Changelog    []Release `json:"wijzigingen,omitempty"` // newest first
}

// Release is one entry of a changelog.
type Release struct {
	Version string `json:"versie" yaml:"version"`
	Date    string `json:"datum" yaml:"date"` // 2026-11-24
	Text    string `json:"tekst" yaml:"text"`
}

// AdviceView says how many findings of the design rules a service has, and by when they are to be mended.
type AdviceView struct {
	Count int       `json:"aantal"`
	By    time.Time `json:"voor"`
}
