{{/* What a schema cannot say: combinations of values, and what is in the cluster. Each is one sentence. */}}
{{- define "tinycert-operator.validate" -}}
{{- $values := .Values -}}
{{- $cluster := toString .Values.clusterIssuers.enabled -}}
{{- if and .Values.namespaces (eq $cluster "true") -}}
{{- fail "\n\nTinyCertClusterIssuers need an operator of all namespaces: remove namespaces, or set clusterIssuers.enabled to auto." -}}
{{- end -}}
{{- if and (not .Values.namespaces) (eq $cluster "false") -}}
{{- fail "\n\nAn operator of all namespaces always serves TinyCertClusterIssuers: set namespaces, or clusterIssuers.enabled to auto." -}}
{{- end -}}
{{- if and .Values.podDisruptionBudget.enabled (lt (int .Values.replicas) 2) -}}
{{- fail "\n\nA PodDisruptionBudget needs two replicas: set replicas to 2, or podDisruptionBudget.enabled to false." -}}
{{- end -}}
{{- with .Values.metrics -}}
{{- $monitored := or .serviceMonitor.enabled .podMonitor.enabled -}}
{{- if and $monitored (not .enabled) -}}
{{- fail "\n\nA monitor needs metrics: set metrics.enabled to true." -}}
{{- end -}}
{{- if and .serviceMonitor.enabled (not .service.enabled) -}}
{{- fail "\n\nA ServiceMonitor needs the Service: set metrics.service.enabled to true, or use metrics.podMonitor instead." -}}
{{- end -}}
{{- if and .serviceMonitor.enabled .podMonitor.enabled -}}
{{- fail "\n\nA ServiceMonitor and a PodMonitor would scrape everything twice: enable one of them." -}}
{{- end -}}
{{- if eq (int .port) (int $values.health.port) -}}
{{- fail "\n\nmetrics.port and health.port are the same." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.proxy.noProxy (not .Values.proxy.url) -}}
{{- fail "\n\nproxy.noProxy has no effect without proxy.url." -}}
{{- end -}}
{{- $own := include "tinycert-operator.env" . | fromYamlArray -}}
{{- $names := list -}}
{{- range concat $own .Values.extraEnv -}}
{{- if has .name $names -}}
{{- fail (printf "\n\nThe environment variable %s is set twice: remove it from extraEnv, or what sets it besides." .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if .Values.imagePullSecrets -}}
{{- /* Without a cluster, as in `helm template`, the list is empty and has no kind: nothing can be said then. */ -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace "" -}}
{{- if $found -}}
{{- $present := list -}}
{{- range $found.items -}}{{- $present = append $present .metadata.name -}}{{- end -}}
{{- range .Values.imagePullSecrets -}}
{{- if not (has .name $present) -}}
{{- fail (printf "\n\nThere is no Secret %s in the namespace %s, which imagePullSecrets names: create it first." .name $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
