package app_test

// clientRows are the requests about clients and their secrets.
func clientRows() []row {
	const clients = "/v1/environment/clients/"
	about := func(path string, body any) func(*world) (string, any) {
		return func(w *world) (string, any) { return clients + w.newClient() + path, body }
	}
	return []row{
		{route: "GET /v1/environment/clients", may: secure, on: get("/v1/environment/clients?limit=1")},
		{route: "GET /v1/environment/clients/{client}", may: secure, made: true, on: about("", nil)},
		{route: "PATCH /v1/environment/clients/{client}", may: secure, made: true, on: about("", obj{"roles": []string{"backoffice_viewer"}})},
		{route: "PATCH /v1/environment/clients/{client}", may: secure, made: true, on: about("", obj{"scopes": []string{"check"}})},
		{route: "PATCH /v1/environment/clients/{client}", may: secure, made: true, on: about("", obj{})},
		{route: "GET /v1/environment/clients/{client}/secrets", may: secure, made: true, on: about("/secrets", nil)},
		{route: "POST /v1/environment/clients/{client}/secrets", may: secure, made: true, on: about("/secrets", nil)},
		{route: "POST /v1/environment/clients/{client}/secrets", may: secure, made: true, on: about("/secrets", obj{"overlap_hours": 0})},
		{route: "DELETE /v1/environment/clients/{client}/secrets/{secret}", may: secure, made: true, on: func(w *world) (string, any) {
			id := w.newClient()
			return clients + id + "/secrets/" + w.secretsOf(id)[0], nil
		}},
	}
}

// newClient makes an admin of prod and returns its id.
func (w *world) newClient() string {
	w.t.Helper()
	id := w.fresh("client")
	w.op.must("POST", "/v1/environment/clients", obj{"id": id, "roles": []string{"admin"}})
	return id
}

// secretsOf lists the ids of a client's secrets.
func (w *world) secretsOf(id string) []string {
	w.t.Helper()
	return w.op.must("GET", "/v1/environment/clients/"+id+"/secrets", nil).list("secrets", "id")
}
