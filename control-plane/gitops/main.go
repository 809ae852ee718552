// Command gitops asks the code of Argo CD and Flux what they would say and do about objects.
//
// It reads one JSON request per line from standard input and answers each with one line:
// {"result": ...} or {"error": "..."}. Requests are answered in order. Those that talk to an API
// server use the kubeconfig named in KUBECONFIG; all others need nothing but their request.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// request is one question; which fields it needs depends on Op.
type request struct {
	// Op is the name of one of the operations below.
	Op string `json:"op"`
	// Object is what is judged, changed or applied.
	Object *unstructured.Unstructured `json:"object"`
	// Live is what the API server has of Object.
	Live *unstructured.Unstructured `json:"live"`
	// Predicted is what a dry run of Object on the server answered.
	Predicted *unstructured.Unstructured `json:"predicted"`
	// Objects are what is applied together.
	Objects []*unstructured.Unstructured `json:"objects"`
	// Script is a Lua program, run with all libraries as Argo CD does with its built-in ones.
	Script string `json:"script"`
	// Settings are the data of the ConfigMap argocd-cm; its scripts run without libraries.
	Settings map[string]string `json:"settings"`
	// Action is the name of an action of Settings.
	Action string `json:"action"`
	// HealthChecks are the healthCheckExprs of a Flux Kustomization.
	HealthChecks json.RawMessage `json:"healthChecks"`
	// TimeoutSeconds is how long to wait for objects.
	TimeoutSeconds int `json:"timeoutSeconds"`
}

type operation func(context.Context, request) (any, error)

var operations = map[string]operation{
	"argo-health":          argoHealth,
	"argo-settings-health": argoSettingsHealth,
	"argo-actions":         argoActions,
	"argo-run-action":      argoRunAction,
	"argo-application":     argoApplication,
	"argo-diff":            argoDiff,
	"argo-server-diff":     argoServerDiff,
	"kstatus":              kstatus,
	"flux-health":          fluxHealth,
	"flux-apply":           fluxApply,
	"flux-diff":            fluxDiff,
	"flux-kustomization":   fluxKustomization,
	"flux-wait":            fluxWait,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		result, err := answer(lines.Bytes())
		body := map[string]any{"result": result}
		if err != nil {
			body = map[string]any{"error": err.Error()}
		}
		if err := answers.Encode(body); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(line []byte) (result any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	run, ok := operations[asked.Op]
	if !ok {
		return nil, fmt.Errorf("unknown operation %q", asked.Op)
	}
	return run(context.Background(), asked)
}
