package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Answers carry metadata only, as the operator asks for them, so that W is not made smaller by
// answers that nobody needs.
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

type client struct {
	http   *http.Client
	server string
	bearer string
}

// HTTP/1.1 with kept connections: one request at a time on each, as in the operator.
func newClient(s *settings, token string) (*client, error) {
	pem, err := os.ReadFile(s.caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", s.caFile)
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxIdleConnsPerHost: 4096,
		IdleConnTimeout:     60 * time.Second,
		DisableCompression:  true,
	}
	return &client{&http.Client{Transport: transport}, s.server, "Bearer " + token}, nil
}

func (c *client) open(method, path, accept string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.bearer)
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "keyward-bench")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(req)
}

// The body of a 2xx answer; any other answer is an error with the server's words.
func (c *client) call(method, path string, body []byte) ([]byte, error) {
	return c.callFor(metadataOnly, method, path, body)
}

func (c *client) callFor(accept, method, path string, body []byte) ([]byte, error) {
	res, err := c.open(method, path, accept, body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, answer)
	}
	return answer, nil
}
