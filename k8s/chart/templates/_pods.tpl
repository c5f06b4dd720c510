{{/* Fields that all pods have. Argument: root, component. */}}
{{- define "caravan.podSettings" -}}
{{- $values := .root.Values -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.placement.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.placement.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.placement.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "caravan.affinity" . }}
{{- if eq $values.model.source "download" }}
initContainers:
  - name: download
    image: {{ $values.model.download.image }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [sh, -c]
    args:
      - |
        {{- .root.Files.Get "files/download.sh" | trim | nindent 8 }}
    env:
      - name: MODEL_URL
        value: {{ $values.model.download.url | quote }}
      - name: MODEL_SHA256
        value: {{ $values.model.download.sha256 | quote }}
      - name: MODEL_FILE
        value: {{ printf "/models/%s" $values.model.file | quote }}
    # Limits here too: else the pod is not of the class Guaranteed.
    resources:
      {{- include "caravan.resources" (dict "cpu" 1 "memory" "256Mi") | nindent 6 }}
    securityContext:
      {{- include "caravan.containerSecurity" . | nindent 6 }}
    volumeMounts:
      - name: model
        mountPath: /models
{{- end }}
{{- end -}}

{{- define "caravan.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "caravan.resources" -}}
requests:
  cpu: {{ .cpu }}
  memory: {{ .memory }}
  {{- with .hugePages }}
  hugepages-2Mi: {{ . }}
  {{- end }}
limits:
  cpu: {{ .cpu }}
  memory: {{ .memory }}
  {{- with .hugePages }}
  hugepages-2Mi: {{ . }}
  {{- end }}
{{- end -}}

{{/* All pods of a group in one zone, workers on hosts of their own. Argument: root, component. */}}
{{- define "caravan.affinity" -}}
{{- $placement := .root.Values.placement -}}
{{- $hosts := and (eq .component "worker") (ne $placement.hosts "any") -}}
{{- if or $hosts (ne $placement.zone "any") }}
affinity:
  {{- if ne $placement.zone "any" }}
  podAffinity:
    {{- include "caravan.affinityTerm" (dict "strength" $placement.zone "term" (include "caravan.zoneTerm" .root)) | nindent 4 }}
  {{- end }}
  {{- if $hosts }}
  podAntiAffinity:
    {{- include "caravan.affinityTerm" (dict "strength" $placement.hosts "term" (include "caravan.hostTerm" .root)) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "caravan.affinityTerm" -}}
{{- if eq .strength "required" -}}
requiredDuringSchedulingIgnoredDuringExecution:
  - {{ .term | nindent 4 | trim }}
{{- else -}}
preferredDuringSchedulingIgnoredDuringExecution:
  - weight: 100
    podAffinityTerm:
      {{- .term | nindent 6 }}
{{- end -}}
{{- end -}}

{{- define "caravan.zoneTerm" -}}
topologyKey: topology.kubernetes.io/zone
labelSelector:
  matchLabels:
    {{- include "caravan.selector" . | nindent 4 }}
{{- if eq .Values.mode "leaderworkerset" }}
matchLabelKeys: [leaderworkerset.sigs.k8s.io/group-index]
{{- end }}
{{- end -}}

{{- define "caravan.hostTerm" -}}
topologyKey: kubernetes.io/hostname
labelSelector:
  matchLabels:
    {{- include "caravan.selector" . | nindent 4 }}
    app.kubernetes.io/component: worker
{{- end -}}

{{- define "caravan.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- if eq .Values.model.source "claim" }}
- name: model
  persistentVolumeClaim:
    claimName: {{ .Values.model.claim.name }}
    readOnly: true
{{- else if eq .Values.model.source "hostPath" }}
- name: model
  hostPath:
    path: {{ .Values.model.hostPath.path | quote }}
    type: Directory
{{- end }}
{{- end -}}

{{- define "caravan.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
- name: model
  mountPath: /models
  readOnly: true
{{- end -}}

{{- define "caravan.claimTemplates" -}}
{{- if eq .Values.model.source "download" }}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: model
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .Values.model.download.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ .Values.model.download.size }}
{{- end }}
{{- end -}}

{{- define "caravan.coordinatorPod" -}}
metadata:
  labels:
    {{- include "caravan.labels" . | nindent 4 }}
    app.kubernetes.io/component: coordinator
  {{- with .Values.serve.chatTemplate }}
  annotations:
    # A changed template is read by a new process only.
    checksum/chat-template: {{ . | sha256sum }}
  {{- end }}
spec:
  terminationGracePeriodSeconds: {{ include "caravan.coordinatorGraceSeconds" . }}
  {{- include "caravan.podSettings" (dict "root" . "component" "coordinator") | nindent 2 }}
  containers:
    - name: coordinator
      image: {{ include "caravan.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --model=/models/{{ .Values.model.file }}
        - --remote-workers={{ .Values.cluster.ranks }}
        - --stages={{ .Values.cluster.stages }}
        - --listen=0.0.0.0:7000
        - --http=0.0.0.0:8080
        - --ctx={{ .Values.cluster.contextLength }}
        - --kv-contexts={{ .Values.cluster.kvContexts }}
        - --kv={{ .Values.cluster.kv }}
        - --sync={{ .Values.cluster.sync }}
        - --max-running={{ .Values.serve.maxRunning }}
        - --max-waiting={{ .Values.serve.maxWaiting }}
        - --request-timeout={{ .Values.serve.requestTimeoutSeconds }}
        - --drain-timeout={{ .Values.serve.requestTimeoutSeconds }}
        {{- if .Values.serve.apiKeys.secret }}
        - --api-key-file=/etc/caravan/keys/keys
        {{- end }}
        {{- if .Values.serve.chatTemplate }}
        - --chat-template=/etc/caravan/chat/template.jinja
        {{- end }}
        {{- range .Values.serve.extraArgs }}
        - {{ . | quote }}
        {{- end }}
      {{- with .Values.coordinator.javaOptions }}
      env:
        - name: JDK_JAVA_OPTIONS
          value: {{ . | quote }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: cluster
          containerPort: 7000
      startupProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 1
      lifecycle:
        preStop:
          # Until proxies know that no new requests come here; then SIGTERM drains.
          sleep:
            seconds: {{ include "caravan.preStopSeconds" . }}
      resources:
        {{- include "caravan.resources" (dict "cpu" .Values.coordinator.cpu "memory" .Values.coordinator.memory) | nindent 8 }}
      securityContext:
        {{- include "caravan.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "caravan.volumeMounts" . | nindent 8 }}
        {{- if .Values.serve.apiKeys.secret }}
        - name: keys
          mountPath: /etc/caravan/keys
          readOnly: true
        {{- end }}
        {{- if .Values.serve.chatTemplate }}
        - name: chat
          mountPath: /etc/caravan/chat
          readOnly: true
        {{- end }}
  volumes:
    {{- include "caravan.volumes" . | nindent 4 }}
    {{- with .Values.serve.apiKeys }}
    {{- if .secret }}
    - name: keys
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        items:
          - key: {{ .key }}
            path: keys
    {{- end }}
    {{- end }}
    {{- if .Values.serve.chatTemplate }}
    - name: chat
      configMap:
        name: {{ include "caravan.name" . }}-chat
    {{- end }}
{{- end -}}

{{/* Argument: root, coordinator (its host name). */}}
{{- define "caravan.workerPod" -}}
{{- $values := .root.Values -}}
{{- $hugePages := $values.worker.hugePages -}}
metadata:
  labels:
    {{- include "caravan.labels" .root | nindent 4 }}
    app.kubernetes.io/component: worker
spec:
  terminationGracePeriodSeconds: 30
  {{- include "caravan.podSettings" (dict "root" .root "component" "worker") | nindent 2 }}
  containers:
    - name: worker
      image: {{ include "caravan.image" .root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - worker
        - --coordinator={{ .coordinator }}:7000
        - --listen=0.0.0.0:7001
        # The pod's name is the worker's identity: it keeps its place in the plan when it comes back.
        - --id=$(POD_NAME)
        - --stay
      env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- with $values.worker.javaOptions }}
        - name: JDK_JAVA_OPTIONS
          value: {{ . | quote }}
        {{- end }}
        {{- if ne $hugePages.mode "none" }}
        # The weights come from the C library's malloc: 1 asks for transparent huge pages, 2 takes reserved ones.
        - name: GLIBC_TUNABLES
          value: glibc.malloc.hugetlb={{ ternary 1 2 (eq $hugePages.mode "transparent") }}
        {{- end }}
      ports:
        - name: peers
          containerPort: 7001
      startupProbe:
        grpc:
          port: 7001
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        grpc:
          port: 7001
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        grpc:
          port: 7001
          service: ready
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 1
      resources:
        {{- include "caravan.resources" (dict "cpu" $values.worker.cpu "memory" $values.worker.memory "hugePages" (eq $hugePages.mode "reserved" | ternary $hugePages.size "")) | nindent 8 }}
      securityContext:
        {{- include "caravan.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "caravan.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "caravan.volumes" .root | nindent 4 }}
{{- end -}}
