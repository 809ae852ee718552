{{/* What works and may not be meant; one line each, nothing where all is well. Takes the root context. */}}

{{- define "keyward.warnings" -}}
{{- $values := .Values -}}
{{- $embedded := eq $values.database.type "Embedded" -}}
{{- if and $embedded $values.database.embedded.acceptEphemeral }}
   - The database is not on a volume: every key is lost with the pod. For trials only.
{{- end }}
{{- if and $embedded (not $values.database.embedded.persistence.retain) (not $values.database.embedded.persistence.existingClaim) $values.database.embedded.persistence.enabled }}
   - database.embedded.persistence.retain=false: helm uninstall deletes the database, and with it every key.
{{- end }}
{{- if and $values.crds.install (not $values.crds.keep) }}
   - crds.keep=false: helm uninstall deletes the kinds, and with them every ApiKey and form in the cluster.
{{- end }}
{{- if not $values.admissionPolicies.enabled }}
   - admissionPolicies.enabled=false: applications are not approved, and anybody with the right may write status.
{{- end }}
{{- if and (not $embedded) $values.gate.enabled (not $values.database.postgresql.gate.existingSecret) }}
   - Gates use the operator's account at PostgreSQL, so who takes one over can make keys: give them a role of their
     own (keyward database grants) and name its Secret in database.postgresql.gate.existingSecret.
{{- end }}
{{- if eq $values.gate.unlisted "Allow" }}
   - gate.unlisted=Allow: any good key gets through for calls that belong to no ApiProduct.
{{- end }}
{{- if and $embedded (eq (int (include "keyward.replicas" .)) 0) }}
   - replicaCount=0: nothing runs; keys stay as they are, and are not renewed, expired or verified.
{{- end }}
{{- if has (include "keyward.namespace" .) $values.watchNamespaces }}
   - watchNamespaces has {{ include "keyward.namespace" . }}: keys there lie beside the master key.
{{- end }}
{{- if contains "latest" $values.image.tag }}
   - image.tag={{ $values.image.tag }} is not the same image tomorrow.
{{- end }}
{{- end }}
