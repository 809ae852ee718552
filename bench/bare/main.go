// The neutral side of the bench: loads ApiKeys, measures what the API server takes, and watches keys
// become Ready. Standard library only, so that nothing but net/http stands between it and the server.
//
//	load    creates ApiKeys and writes one line "namespace name uid version" for each
//	pair    for each of those lines exactly POST Secret and PUT status, with prebuilt bodies
//	watch   counts the keys that become Ready
//	arrive  creates keys at a fixed rate and measures create-to-Ready
//
// Every command prints one JSON object on standard output when it is done.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

// Everything the commands can be told; each uses what it needs.
type settings struct {
	server, caFile, token, pairToken string
	namespaces                       []string
	keysFile                         string
	secretFile, statusFile           string
	query                            string
	count, workers                   int
	rate, seconds                    float64
	dryRun                           bool
}

func main() {
	commands := map[string]func(*settings) (any, error){
		"load": load, "pair": pair, "watch": watch, "arrive": arrive,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: bare load|pair|watch|arrive FLAGS"))
	}
	settings, err := parse(os.Args[1], os.Args[2:])
	if err != nil {
		fail(err)
	}
	answer, err := commands[os.Args[1]](settings)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func parse(command string, args []string) (*settings, error) {
	var s settings
	var namespaces, tokenFile, pairTokenFile string
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	flags.StringVar(&s.server, "server", "", "URL of the API server")
	flags.StringVar(&s.caFile, "ca", "", "its certificate authority, PEM")
	flags.StringVar(&tokenFile, "token", "", "file with a service account's token")
	flags.StringVar(&pairTokenFile, "pair-token", "", "arrive: issue the keys itself, with this token")
	flags.StringVar(&namespaces, "namespaces", "", "comma-separated")
	flags.StringVar(&s.keysFile, "keys", "", "lines of load")
	flags.StringVar(&s.secretFile, "secret", "", "template of the Secret's body")
	flags.StringVar(&s.statusFile, "status", "", "template of the status's body")
	flags.StringVar(&s.query, "query", "", "query of every write")
	flags.IntVar(&s.count, "count", 0, "how many keys; pair: 0 is all")
	flags.IntVar(&s.workers, "workers", 32, "requests in flight")
	flags.Float64Var(&s.rate, "rate", 0, "arrive: keys per second")
	flags.Float64Var(&s.seconds, "seconds", 0, "arrive: how long; watch: give up after")
	flags.BoolVar(&s.dryRun, "dry-run", false, "pair: write nothing, as a warm-up")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	s.namespaces = strings.Split(namespaces, ",")
	var err error
	if s.token, err = readToken(tokenFile); err != nil {
		return nil, err
	}
	s.pairToken, err = readToken(pairTokenFile)
	return &s, err
}

func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
