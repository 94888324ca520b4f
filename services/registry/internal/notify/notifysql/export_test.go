package notifysql

// SetFault makes a transaction of the dispatcher end before a statement, as a crash would.
func (s *Store) SetFault(fault func(statement string) error) { s.fault = fault }
