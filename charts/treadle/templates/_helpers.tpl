{{- define "treadle.fullname" -}}
{{- .Values.fullnameOverride | default (printf "%s-operator" (.Release.Name | trunc 40 | trimSuffix "-")) -}}
{{- end -}}

{{- define "treadle.serviceAccountName" -}}
{{- .Values.serviceAccountName | default (include "treadle.fullname" .) -}}
{{- end -}}

{{- /* Peers let pods of this name, in any namespace, reach their operator's port. */ -}}
{{- define "treadle.selectorLabels" -}}
app.kubernetes.io/name: treadle-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "treadle.labels" -}}
{{ include "treadle.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: treadle
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* (list . name): the full name of one image. */ -}}
{{- define "treadle.image" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $images := $root.Values.images -}}
{{- if regexMatch "@|:[^/]+$" $name -}}
{{- $name -}}
{{- else -}}
{{- if $images.registry }}{{ $images.registry | trimSuffix "/" }}/{{ end -}}
{{- $name }}:{{ $images.tag | default $root.Chart.AppVersion -}}
{{- end -}}
{{- end -}}

{{- /* The watched namespaces, with commas. */ -}}
{{- define "treadle.namespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | sortAlpha | join "," -}}
{{- end -}}

{{- /* What the restricted Pod Security Standard asks of a container, and a read-only root. */ -}}
{{- define "treadle.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "treadle.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Who brought a custom resource definition that is there already and not this release's: helm
takes over nothing that another release has made, so that one is left as it is. Empty: nobody. */}}
{{- define "treadle.crdOwner" -}}
{{- $root := index . 0 -}}
{{- $live := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" (index . 1) -}}
{{- if $live -}}
{{- $notes := $live.metadata.annotations | default dict -}}
{{- $name := index $notes "meta.helm.sh/release-name" | default "" -}}
{{- $place := index $notes "meta.helm.sh/release-namespace" | default "" -}}
{{- if not $name -}}
no release
{{- else if or (ne $name $root.Release.Name) (ne $place $root.Release.Namespace) -}}
the release {{ $name }} in {{ $place }}
{{- end -}}
{{- end -}}
{{- end }}
