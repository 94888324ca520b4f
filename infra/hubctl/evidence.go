package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/infra/demo"
	cases "noorderhub.nl/hub/services/cases/api"
)

// maxBundle bounds a file of receipts, in bytes.
const maxBundle = 16 << 20

func (c *cli) evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "evidence", Aliases: []string{"bewijs"}, Short: "check receipts without the hub (bewijs controleren zonder de hub)"}
	var ca, hub string
	verify := &cobra.Command{
		Use: "verify BUNDLE.json", Aliases: []string{"verifieer"}, Args: cobra.ExactArgs(1),
		Short: "check the receipts of a whole transfer, calling nobody (de ontvangstbewijzen van een uitwisseling controleren)",
		Long: `Checks a bundle, the answer to GET …/ontvangstbewijzen: every signature, the statements of the keys, who may sign what,
the order and the links. Nobody is called. The anchors come from --ca; without it those of the hub's data folder are taken.`,
		RunE: func(_ *cobra.Command, args []string) error { return c.verifyEvidence(args[0], ca, hub) },
	}
	verify.Flags().StringVar(&ca, "ca", "", "PEM file of the authorities of contract certificates (anker)")
	verify.Flags().StringVar(&hub, "hub", "", "OIN of the hub that must have signed; default with --ca: any, but one throughout")
	cmd.AddCommand(verify)
	return cmd
}

func (c *cli) verifyEvidence(file, ca, hub string) error {
	bundle, err := readBundle(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	name := func(oin string) string { return oin }
	if ca == "" {
		known, err := demo.Load(c.data)
		if err != nil {
			return fmt.Errorf("give the anchors with --ca: %w", err)
		}
		ca, name = known.CA, namesOf(known)
		if hub == "" {
			hub = known.Organisations[hubOrganisation].OIN
		}
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	trust := cases.Trust{Anchors: x509.NewCertPool(), Hub: hub}
	if !trust.Anchors.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate", ca)
	}
	receipts, err := cases.VerifyReceipts(bundle, trust)
	if err != nil {
		return fmt.Errorf("the receipts do not hold: %w", err)
	}
	if c.json {
		return c.print(receipts)
	}
	fmt.Fprintf(c.stdout, "transfer %s: %d receipts, all of them hold\n", bundle.Transfer, len(receipts))
	for _, r := range receipts {
		fmt.Fprintf(c.stdout, "%d  %-12s  %s  by %s\n", r.Sequence, words[r.Type], r.At.Local().Format(time.RFC3339), name(r.Actor))
	}
	return nil
}

func readBundle(file string) (cases.Bundle, error) {
	var b cases.Bundle
	info, err := os.Stat(file)
	if err != nil {
		return b, err
	}
	if info.Size() > maxBundle {
		return b, errors.New("too large for the receipts of one transfer")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	if json.Unmarshal(text, &b) != nil || b.Transfer == "" {
		return b, errors.New("not the bundle of a transfer, as GET …/ontvangstbewijzen and `hubctl inbox receipts --json` give")
	}
	return b, nil
}
