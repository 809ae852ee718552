{{/* How a port is scraped, of a list [settings, whether a token is sent]. Labels of ours stay what they are: else
     the namespace of a key would be renamed to exported_namespace. */}}
{{- define "keyward.scrape" -}}
{{- $settings := index . 0 -}}
path: /metrics
honorLabels: true
{{- with $settings.interval }}
interval: {{ . }}
{{- end }}
{{- with $settings.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- if index . 1 }}
{{- with $settings.authorization }}
authorization: {{- toYaml . | nindent 2 }}
{{- else }}
bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
{{- end }}
{{- end }}
{{- with $settings.relabelings }}
relabelings: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $settings.metricRelabelings }}
metricRelabelings: {{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
