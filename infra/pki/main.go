// Command pki makes the authorities, certificates, keys and secrets of a hub in one folder: what the parts need to know each
// other, the outside listener, the key of snapshots, and the secrets of the stores. It makes what is not there yet and
// renews certificates that are near their end, for the same keys; a key or a secret that exists is never overwritten. Run
// it again, from a timer too: it prints what it wrote, and parts take renewed certificates up without a restart.
//
//	go run ./infra/pki --dir DIR --name hub.example.nl
//	go run ./infra/pki --dir DIR --name hub.example.nl --ip 10.1.2.3 --instances gateway=3,address=2
//	go run ./infra/pki --dir DIR --name hub.example.nl --renew-within 720h
//
// The authorities' keys lie in DIR/pki/workloads.key and DIR/pki/ca.key: keep that folder on one machine, and give each
// part only its own files. For the outside listener, production uses a certificate that clients know already.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/up/material"
	"noorderhub.nl/hub/libs/app"
)

func main() {
	os.Exit(app.Main(os.Stderr, func(context.Context) error { return run(os.Args[1:], os.Stdout, os.Stderr) }))
}

const (
	life        = 90 * 24 * time.Hour // of a certificate; short, for renewing is one command
	renewWithin = 30 * 24 * time.Hour
)

func run(args []string, stdout, stderr io.Writer) error {
	o := material.Options{KeepAuthorities: true}
	flags := flag.NewFlagSet("pki", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "folder for everything")
	flags.Func("name", "DNS name of the outside listener; may be repeated", func(s string) error {
		o.Names = append(o.Names, s)
		return nil
	})
	flags.Func("ip", "address of the outside listener; may be repeated", func(s string) error {
		ip := net.ParseIP(s)
		if ip == nil {
			return errors.New("not an IP address")
		}
		o.IPs = append(o.IPs, ip)
		return nil
	})
	flags.Func("instances", "parts that run more than once, e.g. gateway=3,address=2: each gets a certificate of its own", func(s string) (err error) {
		o.Instances, err = instances(s)
		return err
	})
	flags.DurationVar(&o.Life, "life", life, "life of a certificate")
	flags.DurationVar(&o.Renew, "renew-within", renewWithin, "certificates with less left are renewed")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *dir == "" || len(o.Names)+len(o.IPs) == 0 || flags.NArg() > 0 {
		flags.Usage()
		return errors.New("--dir and a --name or --ip of the outside listener are needed, and nothing else")
	}
	if o.Life <= o.Renew {
		return errors.New("--life must be longer than --renew-within: every certificate would be renewed at once")
	}
	made, err := material.Make(material.Files{Dir: *dir}, nil, o)
	for _, file := range made {
		fmt.Fprintln(stdout, file)
	}
	return err
}

// maxInstances of one part; more is a slip of the keyboard.
const maxInstances = 100

func instances(list string) (map[string]int, error) {
	counts := map[string]int{}
	known := material.Parts()
	for _, entry := range strings.Split(list, ",") {
		part, count, _ := strings.Cut(entry, "=")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > maxInstances || !slices.Contains(known, part) {
			return nil, fmt.Errorf("%q is not PART=NUMBER with one of %s", entry, strings.Join(known, ", "))
		}
		counts[part] = n
	}
	return counts, nil
}
