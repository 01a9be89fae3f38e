import type { Values } from '../../../tools/chart/render.ts';

/** Values that use every option of the chart at least once, by what they are for. */
export const VARIANTS: Readonly<Record<string, Values>> = {
  'the defaults': {},
  'given namespaces': { namespaces: ['chart-team-a', 'chart-team-b'] },
  'without CAcert': { cacert: { enabled: false } },
  'two replicas': {
    replicas: 2,
    podDisruptionBudget: { enabled: true, maxUnavailable: '50%' },
    priorityClassName: 'system-cluster-critical',
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
    ],
    affinity: { podAntiAffinity: {} },
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    nodeSelector: { pool: 'infrastructure' },
  },
  'a ServiceMonitor': {
    metrics: {
      port: 9402,
      service: { annotations: { owner: 'pki' } },
      serviceMonitor: { enabled: true, interval: '1m', labels: { release: 'prometheus' } },
    },
  },
  'a PodMonitor': {
    metrics: {
      service: { enabled: false },
      podMonitor: { enabled: true, interval: '30s', labels: { release: 'prometheus' } },
    },
  },
  'no metrics': { metrics: { enabled: false }, health: { port: 9081 } },
  'a NetworkPolicy': {
    networkPolicy: {
      enabled: true,
      apiServer: { cidrs: ['192.0.2.1/32', '2001:db8::1/128'], ports: [6443] },
      cas: { cidrs: ['198.51.100.0/24'], ports: [443, 3128] },
      metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
    },
  },
  'a NetworkPolicy with its defaults': { networkPolicy: { enabled: true } },
  'a proxy and more of everything in the Pod': {
    proxy: { url: 'http://proxy.example.com:3128', noProxy: ['.example.org', '10.0.0.0/8'] },
    extraEnv: [
      { name: 'NODE_EXTRA_CA_CERTS', value: '/trust/ca.crt' },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'more', key: 'secret' } } },
    ],
    extraVolumes: [{ name: 'trust', configMap: { name: 'trust' } }],
    extraVolumeMounts: [{ name: 'trust', mountPath: '/trust', readOnly: true }],
    podLabels: { team: 'pki' },
    podAnnotations: { 'example.com/scrape': 'no' },
    commonLabels: { owner: 'pki' },
    resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '2Gi' } },
  },
  'another image': {
    image: {
      registry: 'registry.example.com:5000',
      repository: 'mirror/operator',
      tag: 'edge',
      digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
      pullPolicy: 'Always',
    },
    imagePullSecrets: [{ name: 'login' }],
  },
  'another ServiceAccount': {
    serviceAccount: { create: false, name: 'made-elsewhere' },
    rbac: { aggregate: false },
    crds: { keep: false },
  },
  'what others make': { rbac: { create: false }, crds: { enabled: false } },
  'flags and names': {
    nameOverride: 'certificates',
    fullnameOverride: 'pki',
    allowedEndpoints: ['https://ca.example.com/api/', 'https://localhost:8443/'],
    concurrency: 8,
    unclaimedWait: '1h30m',
    log: { level: 'debug', format: 'text' },
    serviceAccount: { name: 'pki-sa', annotations: { owner: 'pki' } },
    clusterIssuers: { enabled: true },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    podSecurityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    global: { anything: { goes: true } },
  },
};
