{{/* What the generated templates ask for; both take the root context. */}}

{{- define "keyward.crdAnnotations" -}}
{{- $keep := ternary (dict "helm.sh/resource-policy" "keep") dict .Values.crds.keep -}}
{{- include "keyward.annotations" (list . (merge $keep .Values.crds.annotations)) -}}
{{- end }}

{{/* Whether the mutating policies are installed; prints true or nothing. */}}
{{- define "keyward.mutating" -}}
{{- $served := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
{{- $wanted := or (eq .Values.admissionPolicies.mutating "Always") (and (eq .Values.admissionPolicies.mutating "Auto") $served) -}}
{{- if and .Values.admissionPolicies.enabled $wanted }}true{{ end -}}
{{- end }}
