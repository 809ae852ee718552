{{/* The operator's container, and its pod. All take the root context. */}}

{{- define "keyward.operatorArgs" -}}
{{- $values := .Values -}}
- operator
- --namespace={{ include "keyward.namespace" . }}
- --metrics-address=:8080
- --metrics-auth={{ lower $values.metrics.auth }}
- --metrics-objects={{ int64 $values.metrics.objects }}
{{- with $values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
- --secret-watch={{ lower $values.secretWatch }}
- --workers={{ $values.workers }}
{{- range $values.endpointHosts }}
- {{ printf "--endpoint-hosts=%s" . | quote }}
{{- end }}
{{- if $values.vendorCa.existingConfigMap }}
- --vendor-ca-file=/etc/keyward/vendor-ca/{{ $values.vendorCa.entry }}
{{- end }}
{{- with $values.webhook.url }}
- {{ printf "--webhook-url=%s" . | quote }}
- --webhook-secret-file=/etc/keyward/webhook/{{ $values.webhook.entry }}
{{- end }}
{{- if and (eq $values.database.type "Embedded") (not $values.database.embedded.persistence.enabled) }}
- --database-ephemeral
{{- end }}
- --log-level={{ $values.log.level }}
{{- range $values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- define "keyward.operatorContainer" -}}
{{- $values := .Values -}}
{{- $postgresql := $values.database.postgresql -}}
- name: operator
  {{- include "keyward.container" . | nindent 2 }}
  args: {{- include "keyward.operatorArgs" . | nindent 2 }}
  # As variables, so that "kubectl exec … -- keyward keys --retained" finds both too.
  env:
  {{- include "keyward.databaseEnv" (list . $postgresql.existingSecret $postgresql.urlKey) | nindent 2 }}
  - name: KEYWARD_MASTER_KEY_FILE
    value: /etc/keyward/master-key/master-key
  {{- with $values.extraEnv }}{{ toYaml . | nindent 2 }}{{ end }}
  {{- with $values.extraEnvFrom }}
  envFrom: {{- toYaml . | nindent 2 }}
  {{- end }}
  ports:
  - {name: metrics, containerPort: 8080}
  {{- include "keyward.probes" (list $values "metrics" (eq $values.database.type "Embedded" | ternary "database" "")) | nindent 2 }}
  resources: {{- toYaml $values.resources | nindent 4 }}
  volumeMounts:
  {{- include "keyward.tokenMount" . | nindent 2 }}
  - {name: master-key, mountPath: /etc/keyward/master-key, readOnly: true}
  {{- if eq $values.database.type "Embedded" }}
  - {name: data, mountPath: /var/lib/keyward}
  {{- end }}
  {{- if $values.vendorCa.existingConfigMap }}
  - {name: vendor-ca, mountPath: /etc/keyward/vendor-ca, readOnly: true}
  {{- end }}
  {{- if $values.webhook.url }}
  - {name: webhook, mountPath: /etc/keyward/webhook, readOnly: true}
  {{- end }}
  {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{- define "keyward.operatorVolumes" -}}
{{- $values := .Values -}}
{{- include "keyward.tokenVolume" . }}
- name: master-key
  secret:
    secretName: {{ include "keyward.masterKeySecret" . }}
    defaultMode: 0440
    items: [{key: {{ $values.masterKey.entry }}, path: master-key}]
{{- with $values.vendorCa.existingConfigMap }}
- name: vendor-ca
  configMap: {name: {{ . }}}
{{- end }}
{{- if $values.webhook.url }}
- name: webhook
  secret:
    secretName: {{ $values.webhook.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- with $values.extraVolumes }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end }}

{{/* Fields of the operator's pod that do not depend on where the database is. */}}
{{- define "keyward.operatorPod" -}}
serviceAccountName: {{ include "keyward.account" . }}
{{ include "keyward.podSettings" . }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.initContainers }}
initContainers: {{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
