package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// fluxOwner is who Flux's kustomize-controller is to the API server.
var fluxOwner = ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}

// kstatus is the verdict of `wait: true` without expressions.
func kstatus(_ context.Context, asked request) (any, error) {
	verdict, err := status.Compute(asked.Object)
	if err != nil {
		return nil, err
	}
	return map[string]string{"status": verdict.Status.String(), "message": verdict.Message}, nil
}

// fluxHealth is the verdict of healthCheckExprs; kinds that they do not name are an error.
func fluxHealth(ctx context.Context, asked request) (any, error) {
	readerFor, err := statusReader(asked.HealthChecks)
	if err != nil {
		return nil, err
	}
	read, err := readerFor(nil).ReadStatusForObject(ctx, nil, asked.Object)
	if err != nil {
		return nil, err
	}
	if read.Error != nil {
		return nil, read.Error
	}
	return map[string]string{"status": read.Status.String(), "message": read.Message}, nil
}

func statusReader(text json.RawMessage) (func(meta.RESTMapper) engine.StatusReader, error) {
	var checks []kustomize.CustomHealthCheck
	if err := json.Unmarshal(text, &checks); err != nil {
		return nil, err
	}
	return cel.NewStatusReader(checks)
}

// fluxKustomization reads a Kustomization as Flux's own type; a field that it does not have is an error.
func fluxKustomization(_ context.Context, asked request) (any, error) {
	return nil, asStrictly(asked.Object, &kustomizev1.Kustomization{})
}

// asStrictly reads the object into a type that must have all of its fields.
func asStrictly(object *unstructured.Unstructured, into any) error {
	text, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.DisallowUnknownFields()
	return reader.Decode(into)
}

type change struct {
	Subject string `json:"subject"`
	Action  string `json:"action"`
	// Live and Merged are present where there is drift.
	Live   *unstructured.Unstructured `json:"live,omitempty"`
	Merged *unstructured.Unstructured `json:"merged,omitempty"`
}

// fluxApply applies the objects as one Kustomization does, and tells what that changed.
func fluxApply(ctx context.Context, asked request) (any, error) {
	manager, err := resourceManager(asked.HealthChecks)
	if err != nil {
		return nil, err
	}
	set, err := manager.ApplyAll(ctx, asked.Objects, ssa.DefaultApplyOptions())
	if err != nil {
		return nil, err
	}
	changes := []change{}
	for _, entry := range set.Entries {
		changes = append(changes, change{Subject: entry.Subject, Action: string(entry.Action)})
	}
	return changes, nil
}

// fluxDiff tells, object by object, whether what is live has drifted.
func fluxDiff(ctx context.Context, asked request) (any, error) {
	manager, err := resourceManager(asked.HealthChecks)
	if err != nil {
		return nil, err
	}
	changes := []change{}
	for _, object := range asked.Objects {
		entry, live, merged, err := manager.Diff(ctx, object, ssa.DefaultDiffOptions())
		if err != nil {
			return nil, err
		}
		changes = append(changes, change{entry.Subject, string(entry.Action), live, merged})
	}
	return changes, nil
}

// fluxWait waits as `wait: true` does: null when all are Current, else the reason as a text.
func fluxWait(_ context.Context, asked request) (any, error) {
	manager, err := resourceManager(asked.HealthChecks)
	if err != nil {
		return nil, err
	}
	err = manager.Wait(asked.Objects, ssa.WaitOptions{
		Interval: 200 * time.Millisecond,
		Timeout:  time.Duration(asked.TimeoutSeconds) * time.Second,
		FailFast: true,
	})
	if err != nil {
		return err.Error(), nil
	}
	return nil, nil
}

func resourceManager(checks json.RawMessage) (*ssa.ResourceManager, error) {
	config, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		return nil, err
	}
	access, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("KUBECONFIG: %w", err)
	}
	http, err := rest.HTTPClientFor(access)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(access, http)
	if err != nil {
		return nil, err
	}
	reader, err := client.New(access, client.Options{HTTPClient: http, Mapper: mapper})
	if err != nil {
		return nil, err
	}
	options := polling.Options{}
	if len(checks) > 0 {
		readerFor, err := statusReader(checks)
		if err != nil {
			return nil, err
		}
		options.CustomStatusReaders = []engine.StatusReader{readerFor(mapper)}
	}
	return ssa.NewResourceManager(reader, polling.NewStatusPoller(reader, mapper, options), fluxOwner), nil
}
