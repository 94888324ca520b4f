package pki

import (
	"fmt"
	"os"
	"path/filepath"

	"noorderhub.nl/hub/libs/workload"
)

// Part asks for the workload certificate of a part: valid as client and as server, named <part>.hub.internal. Parts
// listen on loopback addresses too, but are always verified by that name, so no address stands in the certificate.
func Part(part string) Request {
	return Request{CommonName: part, DNSNames: []string{workload.ServerName(part)}, Client: true, Server: true}
}

// WriteFiles puts the pair and its anchor into dir as <name>.pem, <name>.key and <name>.ca.pem. Each file is replaced
// atomically, the key last, so that a process that reloads never keeps a half-written one; the key is readable by the
// owner only.
func (p *Pair) WriteFiles(dir, name string) (workload.Files, error) {
	if name == "" || filepath.Base(name) != name {
		return workload.Files{}, fmt.Errorf("%q is not a file name", name)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return workload.Files{}, err
	}
	files := workload.Files{
		Cert: filepath.Join(dir, name+".pem"),
		Key:  filepath.Join(dir, name+".key"),
		CA:   filepath.Join(dir, name+".ca.pem"),
	}
	for _, f := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{{files.CA, p.CAPEM, 0o644}, {files.Cert, p.CertPEM, 0o644}, {files.Key, p.KeyPEM, 0o600}} {
		if err := replace(f.path, f.data, f.mode); err != nil {
			return workload.Files{}, err
		}
	}
	return files, nil
}

func replace(path string, data []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".pki-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails after the rename, as it should
	_, errWrite := tmp.Write(data)
	errMode := tmp.Chmod(mode)
	errClose := tmp.Close()
	for _, err := range []error{errWrite, errMode, errClose} {
		if err != nil {
			return err
		}
	}
	return os.Rename(tmp.Name(), path)
}
