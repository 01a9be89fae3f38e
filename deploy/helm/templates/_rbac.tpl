{{/* A role and its binding: in a namespace, or, if that is empty, in the whole cluster. Takes top, suffix, namespace and rules. */}}
{{- define "tinycert-operator.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") -}}
{{- $name := printf "%s-%s" (include "tinycert-operator.fullname" .top) .suffix -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "tinycert-operator.labels" .top | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "tinycert-operator.labels" .top | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "tinycert-operator.serviceAccountName" .top }}
    namespace: {{ .top.Release.Namespace }}
{{ end -}}

{{/* TinyCert's resources. In given namespaces there are no TinyCertClusterIssuers: a Role cannot grant them. */}}
{{- define "tinycert-operator.rules.tinycert" -}}
- apiGroups: [tinycert-operator.io]
  resources: [tinycertcertificates, tinycertissuers{{ if not .Values.namespaces }}, tinycertclusterissuers{{ end }}]
  # patch is for finalizers, which Kubernetes lets nobody write in another way.
  verbs: [get, list, watch, patch]
- apiGroups: [tinycert-operator.io]
  resources: [tinycertcertificates/status, tinycertissuers/status{{ if not .Values.namespaces }}, tinycertclusterissuers/status{{ end }}]
  verbs: [patch]
{{- end -}}

{{/* CAcert's resources, and what only they need. */}}
{{- define "tinycert-operator.rules.cacert" -}}
- apiGroups: [tinycert-operator.io]
  resources: [cacertcertificates, cacertaccounts]
  verbs: [get, list, watch]
- apiGroups: [tinycert-operator.io]
  resources: [cacertcertificates/status, cacertaccounts/status]
  verbs: [patch]
# The Secrets of keys that CAcert is to certify, once their certificates are served.
- apiGroups: ['']
  resources: [secrets]
  verbs: [delete]
{{- end -}}

{{/* Certificates' Secrets are watched by label and as metadata only; single ones are read when they change, and those that issuers
name for their credentials. Kubernetes cannot grant less than this for names that users choose. */}}
{{- define "tinycert-operator.rules.secrets" -}}
- apiGroups: ['']
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
{{- end -}}

{{- define "tinycert-operator.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* No right to create an object can name it. */}}
{{- define "tinycert-operator.rules.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [tinycert-operator]
  verbs: [get, update]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end -}}

{{/* The journal of attempts with its records, and the key for seals. */}}
{{- define "tinycert-operator.rules.own-secrets" -}}
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [tinycert-operator-journal, tinycert-operator-journal-records]
  verbs: [get, patch]
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [tinycert-operator-seal]
  verbs: [get]
- apiGroups: ['']
  resources: [secrets]
  verbs: [create]
{{- end -}}
