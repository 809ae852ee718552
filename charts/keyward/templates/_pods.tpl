{{/* What pods have in common. */}}

{{/* Labels of a pod, of a list [root, component, {more}]. */}}
{{- define "keyward.podLabels" -}}
{{- $root := index . 0 -}}
{{- $own := fromYaml (include "keyward.selector" $root) -}}
{{- $own = merge $own (dict "app.kubernetes.io/component" (index . 1) "app.kubernetes.io/part-of" "keyward") -}}
{{- merge $own (index . 2) $root.Values.podLabels $root.Values.commonLabels | toYaml -}}
{{- end }}

{{- define "keyward.podAnnotations" -}}
{{- $root := index . 0 -}}
{{- with merge (dict) (index . 1) $root.Values.podAnnotations $root.Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end }}

{{/* Fields of every pod but its containers and volumes; takes the root context. */}}
{{- define "keyward.podSettings" -}}
{{- $values := .Values -}}
# Whoever needs a token has it mounted below; nobody else in the pod has one.
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with concat $values.imagePullSecrets (default list $values.global.imagePullSecrets) }}
imagePullSecrets: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $values.schedulerName }}
schedulerName: {{ . }}
{{- end }}
{{- with $values.hostAliases }}
hostAliases: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with $values.dnsConfig }}
dnsConfig: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- end }}

{{/* Image and security of every container; takes the root context. */}}
{{- define "keyward.container" -}}
image: {{ include "keyward.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* The token of the pod's account, as a volume that only some containers mount. */}}
{{- define "keyward.tokenVolume" -}}
- name: token
  projected:
    defaultMode: 0440
    sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap:
        name: kube-root-ca.crt
        items: [{key: ca.crt, path: ca.crt}]
    - downwardAPI:
        items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]
{{- end }}

{{- define "keyward.tokenMount" -}}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{/* Probes of a container, of a list [settings with the three probes, name of the port, check that readiness leaves
     out]. What is left out would only take the pod out of its Services, where nobody can answer in its place; see
     docs/metrics.md. */}}
{{- define "keyward.probes" -}}
{{- $settings := index . 0 -}}
{{- $port := index . 1 -}}
startupProbe:
  httpGet: {path: /livez, port: {{ $port }}}
  {{- toYaml $settings.startupProbe | nindent 2 }}
livenessProbe:
  httpGet: {path: /livez, port: {{ $port }}}
  {{- toYaml $settings.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet: {path: "/readyz{{ with index . 2 }}?exclude={{ . }}{{ end }}", port: {{ $port }}}
  {{- toYaml $settings.readinessProbe | nindent 2 }}
{{- end }}

{{/* Environment variable with the database's address, of a list [root, Secret, entry]. */}}
{{- define "keyward.databaseEnv" -}}
- name: KEYWARD_DATABASE
{{- if eq (index . 0).Values.database.type "Embedded" }}
  value: sqlite:///var/lib/keyward/keyward.db
{{- else }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}
{{- end }}
{{- end }}
