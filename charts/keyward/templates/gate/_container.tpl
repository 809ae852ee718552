{{/* The gate's container; it has no account in the cluster. Both take the root context. */}}

{{- define "keyward.gateArgs" -}}
{{- $gate := .Values.gate -}}
- gate
- --gate-key-file=/etc/keyward/gate-key/gate-key
- --http-address=:8180
{{- if $gate.grpc.enabled }}
- --grpc-address=:8190
{{- end }}
- --metrics-address=:8081
- {{ join "," $gate.keyHeaders | printf "--key-headers=%s" | quote }}
{{- with $gate.keyQuery }}
- {{ printf "--key-query=%s" . | quote }}
{{- end }}
{{- with $gate.productHeader }}
- {{ printf "--product-header=%s" . | quote }}
{{- end }}
- --unlisted={{ lower $gate.unlisted }}
{{- with $gate.trustedProxies }}
- {{ join "," . | printf "--trusted-proxies=%s" | quote }}
{{- end }}
- --max-staleness-seconds={{ $gate.maxStalenessSeconds }}
- --replicas={{ $gate.autoscaling.enabled | ternary $gate.autoscaling.maxReplicas (max 1 (int (include "keyward.gateReplicas" .))) }}
- --cache-records={{ int64 $gate.cacheRecords }}
{{- if $gate.phpDates }}
- --php-dates
{{- end }}
{{- if $gate.tls.existingSecret }}
- --tls-cert=/etc/keyward/gate-tls/tls.crt
- --tls-key=/etc/keyward/gate-tls/tls.key
{{- if $gate.tls.clientCertificates }}
- --tls-client-ca=/etc/keyward/gate-tls/ca.crt
{{- end }}
{{- end }}
- --log-level={{ .Values.log.level }}
{{- range $gate.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- define "keyward.gateContainer" -}}
{{- $gate := .Values.gate -}}
{{- $postgresql := .Values.database.postgresql -}}
{{- $own := $postgresql.gate.existingSecret -}}
- name: gate
  {{- include "keyward.container" . | nindent 2 }}
  args: {{- include "keyward.gateArgs" . | nindent 2 }}
  env:
  {{- include "keyward.databaseEnv" (list . (default $postgresql.existingSecret $own) (empty $own | ternary $postgresql.urlKey $postgresql.gate.urlKey)) | nindent 2 }}
  {{- with $gate.extraEnv }}{{ toYaml . | nindent 2 }}{{ end }}
  {{- with $gate.extraEnvFrom }}
  envFrom: {{- toYaml . | nindent 2 }}
  {{- end }}
  ports:
  - {name: http, containerPort: 8180}
  {{- if $gate.grpc.enabled }}
  - {name: grpc, containerPort: 8190}
  {{- end }}
  - {name: gate-metrics, containerPort: 8081}
  {{- include "keyward.probes" (list $gate "gate-metrics" (eq .Values.database.type "Embedded" | ternary "view" "")) | nindent 2 }}
  {{- with int $gate.drainSeconds }}
  # Gateways go on asking for a moment after they could know better; only then the gate is told to end.
  lifecycle:
    preStop: {sleep: {seconds: {{ . }}}}
  {{- end }}
  resources: {{- toYaml $gate.resources | nindent 4 }}
  volumeMounts:
  - {name: gate-key, mountPath: /etc/keyward/gate-key, readOnly: true}
  {{- if eq .Values.database.type "Embedded" }}
  - {name: data, mountPath: /var/lib/keyward}
  {{- end }}
  {{- if $gate.tls.existingSecret }}
  - {name: gate-tls, mountPath: /etc/keyward/gate-tls, readOnly: true}
  {{- end }}
  {{- with $gate.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{- define "keyward.gateVolumes" -}}
{{- $gate := .Values.gate -}}
- name: gate-key
  secret:
    secretName: {{ include "keyward.gateKeySecret" . }}
    defaultMode: 0440
    items: [{key: {{ $gate.keyEntry }}, path: gate-key}]
{{- with $gate.tls.existingSecret }}
- name: gate-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with $gate.extraVolumes }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end }}
