package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	appv1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	healthSetting = "resource.customizations.health."
	actionSetting = "resource.customizations.actions."
	// argoManager is the field manager of Argo CD's controller.
	argoManager = "argocd-controller"
)

// argoHealth runs a health script as Argo CD runs one of its own.
func argoHealth(_ context.Context, asked request) (any, error) {
	return lua.VM{UseOpenLibs: true}.ExecuteHealthLua(asked.Object, asked.Script)
}

// argoSettingsHealth finds and runs the script in the settings; null where there is none.
func argoSettingsHealth(_ context.Context, asked request) (any, error) {
	return lua.ResourceHealthOverrides(overrides(asked.Settings)).GetResourceHealth(asked.Object)
}

// argoActions tells which actions are offered for an object, by name.
func argoActions(_ context.Context, asked request) (any, error) {
	vm := lua.VM{ResourceOverrides: overrides(asked.Settings)}
	scripts, err := vm.GetResourceActionDiscovery(asked.Object)
	if err != nil || len(scripts) == 0 {
		return []appv1.ResourceAction{}, err
	}
	actions, err := vm.ExecuteResourceActionDiscovery(asked.Object, scripts)
	sort.Slice(actions, func(a, b int) bool { return actions[a].Name < actions[b].Name })
	return actions, err
}

// argoRunAction returns what an action would make of the object.
func argoRunAction(_ context.Context, asked request) (any, error) {
	vm := lua.VM{ResourceOverrides: overrides(asked.Settings)}
	action, err := vm.GetResourceAction(asked.Object, asked.Action)
	if err != nil {
		return nil, err
	}
	impacted, err := vm.ExecuteResourceAction(asked.Object, action.ActionLua, nil)
	if err != nil {
		return nil, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return nil, fmt.Errorf("action %s does not change exactly its object", asked.Action)
	}
	return impacted[0].UnstructuredObj, nil
}

// overrides reads the settings as Argo CD does: one key for each group, kind and purpose.
func overrides(settings map[string]string) map[string]appv1.ResourceOverride {
	all := map[string]appv1.ResourceOverride{}
	for key, value := range settings {
		if name, ok := strings.CutPrefix(key, healthSetting); ok {
			override := all[groupKind(name)]
			override.HealthLua = value
			all[groupKind(name)] = override
		}
		if name, ok := strings.CutPrefix(key, actionSetting); ok {
			override := all[groupKind(name)]
			override.Actions = value
			all[groupKind(name)] = override
		}
	}
	return all
}

func groupKind(name string) string {
	return strings.Replace(name, "_", "/", 1)
}

type difference struct {
	Modified bool `json:"modified"`
	// Predicted and Live are both sides after Argo CD has normalised them.
	Predicted json.RawMessage `json:"predicted"`
	Live      json.RawMessage `json:"live"`
}

// argoDiff compares as Argo CD does by default: three ways where the object was applied by a client.
func argoDiff(_ context.Context, asked request) (any, error) {
	return told(diff.Diff(asked.Object, asked.Live))
}

// argoServerDiff compares the dry run that the caller made with what is live.
func argoServerDiff(_ context.Context, asked request) (any, error) {
	return told(diff.Diff(asked.Object, asked.Live,
		diff.WithServerSideDiff(true),
		diff.WithManager(argoManager),
		// What admission adds is to be seen, too.
		diff.WithIgnoreMutationWebhook(false),
		diff.WithServerSideDryRunner(given{asked.Predicted})))
}

func told(found *diff.DiffResult, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return difference{found.Modified, found.PredictedLive, found.NormalizedLive}, nil
}

// argoApplication reads an Application as Argo CD's own type; a field that it does not have is an error.
func argoApplication(_ context.Context, asked request) (any, error) {
	return nil, asStrictly(asked.Object, &appv1.Application{})
}

// given answers a dry run with what somebody else has asked the API server for.
type given struct{ predicted *unstructured.Unstructured }

func (g given) Run(context.Context, *unstructured.Unstructured, string) (string, error) {
	text, err := g.predicted.MarshalJSON()
	return string(text), err
}
