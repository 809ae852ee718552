{{/* Parts of rules that several policies need; all take the root context. */}}

{{- define "keyward.dnsEgress" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{/* The API server cannot be selected: it is no pod, and policies see its address behind the Service. */}}
{{- define "keyward.apiServerEgress" -}}
- ports:
  {{- range .Values.networkPolicy.apiServerPorts }}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
  {{- with .Values.networkPolicy.apiServerCidrs }}
  to:
  {{- range . }}
  - ipBlock: {cidr: {{ . | quote }}}
  {{- end }}
  {{- end }}
{{- end }}

{{- define "keyward.databaseEgress" -}}
{{- if eq .Values.database.type "PostgreSQL" -}}
- ports: [{port: {{ .Values.networkPolicy.databasePort }}, protocol: TCP}]
  {{- with .Values.networkPolicy.databaseTo }}
  to: {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end }}

{{- define "keyward.metricsFrom" -}}
{{- with .Values.networkPolicy.metricsFrom -}}
from: {{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}

{{- define "keyward.gateIngress" -}}
- ports:
  - {port: http, protocol: TCP}
  {{- if .Values.gate.grpc.enabled }}
  - {port: grpc, protocol: TCP}
  {{- end }}
  from:
  {{- if .Values.networkPolicy.gateFrom }}
  {{- toYaml .Values.networkPolicy.gateFrom | nindent 2 }}
  {{- else }}
  - namespaceSelector: {}
    podSelector:
      matchLabels: {keyward.dev/gateway: "true"}
  {{- end }}
- ports: [{port: gate-metrics, protocol: TCP}]
  {{- with include "keyward.metricsFrom" . }}{{ . | nindent 2 }}{{ end }}
{{- end }}
