package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"noorderhub.nl/hub/infra/bench/internal/measure"
	"noorderhub.nl/hub/infra/bench/internal/proc"
)

// profiles writes a processor profile of every part of the hub that a line works with, under one more load of that line:
// taking profiles costs time, so it is never done while figures are taken.
func (s *stand) profiles(ctx context.Context, lines []measure.Line) error {
	if s.profile == "" {
		return nil
	}
	if err := os.MkdirAll(s.profile, 0o750); err != nil {
		return err
	}
	for _, line := range lines {
		if !s.asked(line) {
			continue
		}
		for _, part := range []*proc.Process{s.hub.Gateway, s.hub.Auth, s.hub.Journal} {
			if part.PID != line.Process && !slices.Contains(measure.Values(line.Beside), part.PID) {
				continue
			}
			s.progress("profile of %s: %s", part.Name, line.Name)
			if err := s.profileOf(ctx, line, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stand) profileOf(ctx context.Context, line measure.Line, part *proc.Process) error {
	loaded := make(chan error, 1)
	go func() {
		_, err := line.Load(ctx, s.duration)
		loaded <- err
	}()
	profile, err := s.hub.Profile(ctx, part, s.duration)
	if err := errors.Join(err, <-loaded); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.profile, file(line.Name)+"-"+part.Name+".pprof"), profile, 0o600)
}
