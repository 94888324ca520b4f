package store

// SetFault makes every statement of a transaction, and its commit, ask fault first.
func (s *Store) SetFault(fault func(statement string) error) { s.fault = fault }
