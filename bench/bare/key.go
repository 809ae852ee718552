package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

const group = "/apis/keyward.dev/v1alpha1"

// An ApiKey that exists.
type key struct{ namespace, name, uid, version string }

func (k key) id() string { return k.namespace + "/" + k.name }

func createKey(c *client, namespace, name, query string) (key, error) {
	body := fmt.Sprintf(`{"apiVersion":"keyward.dev/v1alpha1","kind":"ApiKey","metadata":{"name":%q,"namespace":%q},"spec":{}}`, name, namespace)
	path := fmt.Sprintf("%s/namespaces/%s/apikeys%s", group, namespace, query)
	answer, err := c.call("POST", path, []byte(body))
	if err != nil {
		return key{}, err
	}
	var made struct {
		Metadata struct{ UID, ResourceVersion string }
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		return key{}, err
	}
	return key{namespace, name, made.Metadata.UID, made.Metadata.ResourceVersion}, nil
}

func readKeys(file string) ([]key, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var keys []key
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var k key
		if _, err := fmt.Sscan(lines.Text(), &k.namespace, &k.name, &k.uid, &k.version); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", file, lines.Text(), err)
		}
		keys = append(keys, k)
	}
	return keys, lines.Err()
}

// The two bodies of one issue, as the operator would send them.
type bodies struct{ secret, status string }

func readBodies(s *settings) (bodies, error) {
	secret, err := os.ReadFile(s.secretFile)
	if err != nil {
		return bodies{}, err
	}
	status, err := os.ReadFile(s.statusFile)
	return bodies{string(secret), string(status)}, err
}

type write struct {
	method, path string
	body         []byte
}

func (b bodies) writes(k key, query string) [2]write {
	fill := strings.NewReplacer("{{NAMESPACE}}", k.namespace, "{{NAME}}", k.name, "{{UID}}", k.uid, "{{VERSION}}", k.version)
	return [2]write{
		{"POST", "/api/v1/namespaces/" + k.namespace + "/secrets" + query, []byte(fill.Replace(b.secret))},
		{"PUT", group + "/namespaces/" + k.namespace + "/apikeys/" + k.name + "/status" + query, []byte(fill.Replace(b.status))},
	}
}
