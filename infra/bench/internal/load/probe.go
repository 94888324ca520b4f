package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Probe calls once and demands an answer: the status, and for 200 the body.
func Probe(ctx context.Context, client *http.Client, url, bearer string, status int, want []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode != status:
		return fmt.Errorf("answers %d, not %d: %.300s", resp.StatusCode, status, body)
	case status == http.StatusOK && !bytes.Equal(body, want):
		return fmt.Errorf("answers another body than the service gave: %.100q", body)
	}
	return nil
}
