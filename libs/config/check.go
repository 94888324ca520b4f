package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
)

// CheckAddress wants host:port with a port number, as a listener or a server has it. Empty is no fault.
func CheckAddress(key, address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not host:port", key, address)
	}
	return nil
}

// CheckHTTPS wants an https URL of a host, without path. Empty is no fault.
func CheckHTTPS(key, address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("%s: not an https URL of a host without path", key)
	}
	return nil
}

// CheckFile wants a file that can be read. Empty is no fault.
func CheckFile(key, path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New(path + " is a folder")
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// Named says where a fault stands. nil stays nil.
func Named(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}
