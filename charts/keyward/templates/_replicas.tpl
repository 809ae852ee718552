{{/* How many of each there are. Both take the root context and print a number. */}}

{{- define "keyward.replicas" -}}
{{- $default := ternary 1 2 (eq .Values.database.type "Embedded") -}}
{{- kindIs "invalid" .Values.replicaCount | ternary $default .Values.replicaCount -}}
{{- end }}

{{- define "keyward.gateReplicas" -}}
{{- $default := ternary 1 3 (eq .Values.database.type "Embedded") -}}
{{- kindIs "invalid" .Values.gate.replicaCount | ternary $default .Values.gate.replicaCount -}}
{{- end }}

{{/* Of a list [root, replicas, component]: pods of one kind on different nodes, then zones. */}}
{{- define "keyward.spread" -}}
{{- $root := index . 0 -}}
{{- $selector := fromYaml (include "keyward.selector" $root) -}}
{{- $_ := set $selector "app.kubernetes.io/component" (index . 2) -}}
{{- if $root.Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- toYaml $root.Values.topologySpreadConstraints | nindent 2 }}
{{- else if gt (int (index . 1)) 1 -}}
topologySpreadConstraints:
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- toYaml $selector | nindent 6 }}
{{- end }}
{{- end -}}
{{- end }}

{{/* Of a list [root, name, component, settings]: a budget for drains. */}}
{{- define "keyward.disruptionBudget" -}}
{{- $root := index . 0 -}}
{{- $settings := index . 3 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ index . 1 }}
  namespace: {{ include "keyward.namespace" $root }}
  labels: {{- include "keyward.labels" $root | nindent 4 }}
  {{- with include "keyward.annotations" (list $root dict) }}{{ . | nindent 2 }}{{ end }}
spec:
  {{- if not (kindIs "invalid" $settings.minAvailable) }}
  minAvailable: {{ $settings.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $settings.maxUnavailable }}
  {{- end }}
  # One that is not ready guards nothing, and must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "keyward.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ index . 2 }}
{{- end }}
