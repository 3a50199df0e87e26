package broker

// Sessions is how many sessions the broker keeps, connected or not.
func (b *Broker) Sessions() int { return b.server.Clients.Len() }
