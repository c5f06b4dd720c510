{{- define "caravan.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "caravan.selector" -}}
app.kubernetes.io/name: caravan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "caravan.labels" -}}
{{ include "caravan.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: caravan
{{- end -}}

{{- define "caravan.workers" -}}
{{- mul .Values.cluster.ranks .Values.cluster.stages -}}
{{- end -}}

{{- define "caravan.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* Rules that concern several values; the schema holds the rules of each. */}}
{{- define "caravan.check" -}}
{{- if and (eq .Values.mode "statefulset") (ne (int .Values.groups) 1) -}}
{{- fail (printf "groups %v: mode statefulset has one group; set mode to leaderworkerset, or install one release for each group" .Values.groups) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (eq .Values.mode "statefulset") -}}
{{- fail "autoscaling.enabled: mode statefulset has one group that cannot be scaled; set mode to leaderworkerset" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.prometheus) -}}
{{- fail "autoscaling.prometheus is empty; set it to the address of Prometheus, for example http://prometheus.monitoring:9090" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minGroups) (int .Values.autoscaling.maxGroups)) -}}
{{- fail (printf "autoscaling.minGroups %v is over autoscaling.maxGroups %v" .Values.autoscaling.minGroups .Values.autoscaling.maxGroups) -}}
{{- end -}}
{{- if and (eq .Values.model.source "claim") (not .Values.model.claim.name) -}}
{{- fail "model.claim.name is empty; set it to a PersistentVolumeClaim that holds the model" -}}
{{- end -}}
{{- if eq .Values.model.source "download" -}}
{{- if not .Values.model.download.url -}}
{{- fail "model.download.url is empty; set it to the address of the model file" -}}
{{- end -}}
{{- if not .Values.model.download.sha256 -}}
{{- fail "model.download.sha256 is empty; set it to the SHA-256 of the model file, so that every pod has the same" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is empty; name the Gateway that the route belongs to" -}}
{{- end -}}
{{- end -}}

{{/* Seconds between a pod's end being known to clients' proxies and the signal to the process. */}}
{{- define "caravan.preStopSeconds" -}}5{{- end -}}

{{/* The longest generation, the seconds before the signal, and some to end the process. */}}
{{- define "caravan.coordinatorGraceSeconds" -}}
{{- add .Values.serve.requestTimeoutSeconds (include "caravan.preStopSeconds" .) 25 -}}
{{- end -}}
