// Command up runs the whole hub in one process, with a demo region, for trying it out and for developing against it.
//
//	go run ./infra/up [--bag FILE]… [--data DIR]
//
// Ctrl-C stops it in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/infra/bagextract"
	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/infra/up/allinone"
	"noorderhub.nl/hub/libs/app"
)

func main() {
	os.Exit(app.Main(os.Stderr, func(ctx context.Context) error {
		cmd := newCommand()
		cmd.SetArgs(os.Args[1:])
		return cmd.ExecuteContext(ctx)
	}))
}

func newCommand() *cobra.Command {
	o := allinone.Options{}
	cmd := &cobra.Command{
		Use:           "up",
		Short:         "Run the whole hub in one process, with a demo region",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Keep = cmd.Flags().Changed("data")
			return up(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.BAG, "bag", nil, "official BAG 2.0 extract to load instead of the fictional town; may be repeated")
	flags.StringVar(&o.Data, "data", demo.DefaultData, "data folder, kept across restarts; the default one is emptied at start")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address without TLS; loopback only")
	flags.StringVar(&o.ListenTLS, "listen-tls", "127.0.0.1:8443", "address with TLS, where client certificates are welcome")
	return cmd
}

func up(ctx context.Context, o allinone.Options, out io.Writer) error {
	began := time.Now()
	hub, err := allinone.Start(ctx, o)
	if err != nil {
		return err
	}
	banner(out, hub, o, time.Since(began))
	failed := hub.Failed(ctx)
	fmt.Fprintln(out, "stopping")
	if err := errors.Join(failed, hub.Stop()); err != nil {
		return err
	}
	fmt.Fprintln(out, "stopped")
	return nil
}

func banner(out io.Writer, hub *allinone.Hub, o allinone.Options, took time.Duration) {
	fmt.Fprintf(out, "\nNoorderhub is ready (%.1f s)\n\n", took.Seconds())
	fmt.Fprintf(out, "  hub                %s   portal: %s/portaal/\n", hub.URL, hub.URL)
	fmt.Fprintf(out, "  with certificates  %s\n", hub.MTLS)
	fmt.Fprintf(out, "  metadata           %s/.well-known/oauth-authorization-server\n", hub.URL)
	fmt.Fprintf(out, "  data, keys, log    %s\n\n", hub.Data)
	fmt.Fprintf(out, "  %-16s %-22s %s\n", "organisation", "client", "OIN")
	for _, name := range hub.Names() {
		org := hub.Demo.Organisations[name]
		fmt.Fprintf(out, "  %-16s %-22s %s\n", name, org.ClientID, org.OIN)
	}
	call := fmt.Sprintf("'GET /bag/individuelebevragingen/v2/adressen?postcode=%s&huisnummer=%d'", bagextract.TownPostcode, bagextract.TownHouseNumber)
	if len(o.BAG) > 0 {
		call = "'GET /bag/individuelebevragingen/v2/adressen?postcode=…&huisnummer=…'"
	}
	env := ""
	if o.Data != demo.DefaultData {
		env = "NOORDERHUB_DATA=" + o.Data + " "
	}
	fmt.Fprintf(out, "\nTry, in another terminal:\n\n")
	fmt.Fprintf(out, "  %sgo run ./infra/hubctl call --as assen %s\n", env, call)
	fmt.Fprintf(out, "  %sgo run ./infra/hubctl trace TRANSACTION-ID     (the id that call printed)\n", env)
	fmt.Fprintf(out, "  %sgo run ./infra/hubctl call --as emmen %s\n\n", env, call)
	fmt.Fprintf(out, "Ctrl-C stops the hub.\n")
}
