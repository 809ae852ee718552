{{/* Names and labels. All of them take the root context. */}}

{{- define "keyward.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The common beginning of names: short, so that "-gate-metrics" and a hash fit behind it. */}}
{{- define "keyward.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "keyward.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "keyward.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "keyward.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end }}

{{/* The operator's account; the admission policies know the operator by it. */}}
{{- define "keyward.account" -}}
{{- default (printf "%s-operator" (include "keyward.fullname" .)) .Values.serviceAccount.name -}}
{{- end }}

{{/* Namespace and account in a regular expression of CEL, where a dot has to be a dot. */}}
{{- define "keyward.accountPattern" -}}
{{- printf "%s:%s" (include "keyward.namespace" .) (include "keyward.account" .) | replace "." "[.]" -}}
{{- end }}

{{- define "keyward.masterKeySecret" -}}
{{- default (printf "%s-master-key" (include "keyward.fullname" .)) .Values.masterKey.existingSecret -}}
{{- end }}

{{- define "keyward.gateKeySecret" -}}
{{- default (printf "%s-gate-key" (include "keyward.fullname" .)) .Values.gate.existingKeySecret -}}
{{- end }}

{{- define "keyward.claim" -}}
{{- default (printf "%s-data" (include "keyward.fullname" .)) .Values.database.embedded.persistence.existingClaim -}}
{{- end }}

{{- define "keyward.image" -}}
{{- $image := .Values.image -}}
{{- $name := $image.repository -}}
{{- with .Values.global.imageRegistry -}}{{- $name = printf "%s/%s" (trimSuffix "/" .) $name -}}{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end }}

{{/* Labels that select pods; never changed, because selectors cannot be. */}}
{{- define "keyward.selector" -}}
app.kubernetes.io/name: {{ include "keyward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "keyward.labels" -}}
{{- $own := dict
  "app.kubernetes.io/part-of" "keyward"
  "app.kubernetes.io/name" (include "keyward.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" (.Chart.AppVersion | toString)
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end }}

{{/* Annotations of an object, of a list [root, {more}]; nothing where there are none. */}}
{{- define "keyward.annotations" -}}
{{- with merge (dict) (index . 1) (index . 0).Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end }}

{{/* Where the gate is: in the operator's pod, or in pods of its own. Which pods those are. */}}
{{- define "keyward.gateComponent" -}}
{{- if eq .Values.database.type "Embedded" }}operator{{ else }}gate{{ end -}}
{{- end }}
