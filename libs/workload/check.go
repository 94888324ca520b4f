package workload

// Check tells whether the files can serve: readable, the key belongs to the certificate, which has not expired and names
// exactly one part, and there is an anchor. Files that are not named are no fault here.
func (f Files) Check() error {
	if f.Cert == "" || f.Key == "" || f.CA == "" {
		return nil
	}
	_, err := Load(f)
	return err
}
