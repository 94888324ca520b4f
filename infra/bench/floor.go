package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/measure"
)

// Names of the floors: what a token costs at least, in one thread, with nothing around it.
const (
	floorES256   = "floor: Go, verify ES256 and sign ES256"
	floorRS256   = "floor: Go, verify RS256 and sign ES256"
	opensslES256 = "floor: OpenSSL, verify and sign P-256"
)

func floors(openssl string) []measure.Line {
	line := func(name, checks string, load func(context.Context, time.Duration) (measure.Load, error)) measure.Line {
		return measure.Line{Name: name, Does: measure.Does{Client: "-", Upstream: "-", Checks: checks, Keeps: "-"}, Load: load}
	}
	return []measure.Line{
		line(floorES256, "one ES256 signature", goFloor(false)),
		line(floorRS256, "one RS256 signature", goFloor(true)),
		line(opensslES256, "one ES256 signature", opensslFloor(openssl)),
	}
}

// goFloor verifies one signature and makes one, over and over, in this process.
func goFloor(withRSA bool) func(context.Context, time.Duration) (measure.Load, error) {
	return func(ctx context.Context, d time.Duration) (measure.Load, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return measure.Load{}, err
		}
		client, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return measure.Load{}, err
		}
		digest := sha256.Sum256([]byte("claims"))
		ec, errEC := ecdsa.SignASN1(rand.Reader, key, digest[:])
		rs, errRS := rsa.SignPKCS1v15(rand.Reader, client, crypto.SHA256, digest[:])
		if err := errors.Join(errEC, errRS); err != nil {
			return measure.Load{}, err
		}
		var load measure.Load
		before := ownTime()
		for begin := time.Now(); load.Took < d && ctx.Err() == nil; load.Took = time.Since(begin) {
			if withRSA {
				err = rsa.VerifyPKCS1v15(&client.PublicKey, crypto.SHA256, digest[:], rs)
			} else if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], ec) {
				err = errors.New("signature does not verify")
			}
			if err != nil {
				return load, err
			}
			if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
				return load, err
			}
			load.Operations++
		}
		load.CPU = ownTime() - before
		load.P50 = load.Took / time.Duration(load.Operations)
		load.P99 = load.P50
		return load, ctx.Err()
	}
}

// ownTime is the processor time of this process without its children.
func ownTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // no Linux refuses it
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// opensslFloor runs "openssl speed", which signs for one half of the time and verifies for the other. The operations are
// the pairs of one signature and one verification that fit into the time.
func opensslFloor(program string) func(context.Context, time.Duration) (measure.Load, error) {
	return func(ctx context.Context, d time.Duration) (measure.Load, error) {
		seconds := max(1, int(d.Seconds()/2))
		cmd := exec.CommandContext(ctx, program, "speed", "-mr", "-seconds", strconv.Itoa(seconds), "ecdsap256") //nolint:gosec // found by find
		begin := time.Now()
		out, err := cmd.Output()
		if err != nil {
			return measure.Load{}, fmt.Errorf("openssl speed: %w", err)
		}
		sign, verify, err := parseSpeed(out)
		if err != nil {
			return measure.Load{}, err
		}
		took, each := time.Since(begin), time.Duration(float64(time.Second)*(1/sign+1/verify))
		return measure.Load{
			Operations: int64(took / each), Took: took, P50: each, P99: each, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		}, nil
	}
}

// parseSpeed reads signatures and verifications per second of "openssl speed -mr": +F4:index:bits:sign:verify.
func parseSpeed(out []byte) (sign, verify float64, err error) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if fields[0] != "+F4" || len(fields) != 5 {
			continue
		}
		sign, errSign := strconv.ParseFloat(fields[3], 64)
		verify, errVerify := strconv.ParseFloat(fields[4], 64)
		if err := errors.Join(errSign, errVerify); err != nil || sign <= 0 || verify <= 0 {
			return 0, 0, errors.New("openssl speed printed no figures")
		}
		return sign, verify, nil
	}
	return 0, 0, errors.New("openssl speed printed no figures")
}
