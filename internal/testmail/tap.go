package testmail

import "net"

// tap is a listener whose connections keep what they read, and end with the server.
type tap struct {
	net.Listener
	server *Server
}

// Accept waits for a connection; one that comes while the server goes away is cut.
func (t *tap) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	if t.server.listener != t.Listener {
		_ = conn.Close()
	}
	t.server.conns[conn] = true
	return &tapped{conn, t.server}, nil
}

type tapped struct {
	net.Conn
	server *Server
}

// Read keeps what it reads.
func (t *tapped) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	t.server.wire = append(t.server.wire, p[:n]...)
	return n, err
}
