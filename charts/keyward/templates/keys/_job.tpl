{{/* The Job that makes the master key where there is none, and derives the gate's key from it. */}}

{{/* Whether there is anything to do for it; prints true or nothing. */}}
{{- define "keyward.keyJob" -}}
{{- $makes := and .Values.masterKey.create (not .Values.masterKey.existingSecret) -}}
{{- $derives := and .Values.gate.enabled (not .Values.gate.existingKeySecret) -}}
{{- if or $makes $derives }}true{{ end -}}
{{- end }}

{{/* Annotations of the Job and of what it needs, of a list [root, weight]; before everything else. */}}
{{- define "keyward.keyHook" -}}
{{- $root := index . 0 -}}
{{- $hook := dict
  "helm.sh/hook" "pre-install,pre-upgrade"
  "helm.sh/hook-weight" (index . 1 | toString)
  "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
{{- include "keyward.annotations" (list $root ($root.Values.keyJob.asHook | ternary $hook dict)) -}}
{{- end }}

{{- define "keyward.keyPod" -}}
{{- $namespace := include "keyward.namespace" . -}}
{{- $master := include "keyward.masterKeySecret" . -}}
{{- $entry := .Values.masterKey.entry -}}
{{- $containers := list -}}
{{- if and .Values.masterKey.create (not .Values.masterKey.existingSecret) -}}
{{- $containers = append $containers (dict "name" "master-key" "args" (list "master-key" "create" "--secret" $master "--entry" $entry "--namespace" $namespace)) -}}
{{- end -}}
{{- if and .Values.gate.enabled (not .Values.gate.existingKeySecret) -}}
{{- $containers = append $containers (dict "name" "gate-key" "args" (list "keys" "derive-gate" "--master-key-secret" $master "--master-key-entry" $entry "--secret" (include "keyward.gateKeySecret" .) "--entry" .Values.gate.keyEntry "--namespace" $namespace)) -}}
{{- end -}}
serviceAccountName: {{ include "keyward.fullname" . }}-keys
restartPolicy: Never
{{ include "keyward.podSettings" . }}
{{- if gt (len $containers) 1 }}
initContainers:
{{- include "keyward.keyContainer" (list . (first $containers)) | nindent 0 }}
{{- end }}
containers:
{{- include "keyward.keyContainer" (list . (last $containers)) | nindent 0 }}
volumes:
{{- include "keyward.tokenVolume" . | nindent 0 }}
{{- end }}

{{- define "keyward.keyContainer" -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
- name: {{ .name }}
  {{- include "keyward.container" $root | nindent 2 }}
  args: {{- toYaml .args | nindent 2 }}
  resources: {{- toYaml $root.Values.keyJob.resources | nindent 4 }}
  volumeMounts:
  {{- include "keyward.tokenMount" $root | nindent 2 }}
{{- end -}}
{{- end }}
