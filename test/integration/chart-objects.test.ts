import { describe, expect, test } from 'vitest';
import { parseFlags } from '../../src/operator/flags.ts';
import { chart, container, grants, namesOf, onlyOne, podTemplate } from '../support/chart/chart.ts';
import type { Rendered } from '../support/chart/chart.ts';
import { VARIANTS } from '../support/chart/variants.ts';

const OWN = { release: 'pki', namespace: 'pki-system' };

function ofKind(objects: readonly Rendered[], ...kinds: string[]): Rendered[] {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

/** The rules of the roles whose names end so. */
function rules(objects: readonly Rendered[], suffix: string): string[] {
  return grants(objects.filter(({ metadata }) => metadata.name.endsWith(suffix)));
}

describe('the operator’s flags', () => {
  test.each(Object.entries(VARIANTS))('are ones that it takes: %s', async (_, values) => {
    expect(parseFlags(container(await chart(values)).args, {})).toMatchObject({ leaderElect: true });
  });

  test('are what the values say', async () => {
    const objects = await chart(
      {
        namespaces: ['a', 'b'],
        cacert: { enabled: false },
        allowedEndpoints: ['https://ca.example.com/api/', 'https://localhost:8443/'],
        concurrency: 8,
        unclaimedWait: '1h30m',
        log: { level: 'debug', format: 'text' },
        metrics: { port: 9402 },
        health: { port: 9403 },
      },
      OWN,
    );
    expect(parseFlags(container(objects).args, {})).toEqual({
      kubeconfig: undefined,
      namespaces: ['a', 'b'],
      cacert: false,
      // The operator's own, which it finds by itself.
      clusterResourceNamespace: undefined,
      leaderElect: true,
      metricsBindAddress: ':9402',
      healthProbeBindAddress: ':9403',
      logLevel: 'debug',
      logFormat: 'text',
      allowedEndpoints: ['https://ca.example.com/api/', 'https://localhost:8443/'],
      concurrency: 8,
      unclaimedWaitMs: 5_400_000,
    });
    expect(container(objects).ports).toEqual([
      { name: 'metrics', containerPort: 9402 },
      { name: 'health', containerPort: 9403 },
    ]);
  });

  test('turn the metrics off with their port and Service', async () => {
    const objects = await chart({ metrics: { enabled: false } });
    expect(container(objects).args).toContain('--metrics-bind-address=0');
    expect(container(objects).ports.map(({ name }) => name)).toEqual(['health']);
    expect(ofKind(objects, 'Service')).toEqual([]);
  });
});

describe('the image', () => {
  test.each([
    [{}, 'ghcr.io/tinycert-operator/tinycert-operator:0.1.0'],
    [{ tag: 'edge' }, 'ghcr.io/tinycert-operator/tinycert-operator:edge'],
    [{ registry: '', repository: 'operator' }, 'operator:0.1.0'],
    [
      { digest: `sha256:${'a'.repeat(64)}` },
      `ghcr.io/tinycert-operator/tinycert-operator:0.1.0@sha256:${'a'.repeat(64)}`,
    ],
  ])('of %o is %s', async (image, want) => {
    expect(container(await chart({ image })).image).toBe(want);
  });
});

describe('a proxy', () => {
  test('is never between the operator and the API server', async () => {
    const proxy = { url: 'http://proxy.example.com:3128', noProxy: ['.example.org'] };
    expect(container(await chart({ proxy })).env).toEqual([
      { name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' },
      {
        name: 'NO_PROXY',
        value: '$(KUBERNETES_SERVICE_HOST),localhost,127.0.0.1,::1,.svc,.cluster.local,.example.org',
      },
    ]);
  });

  test('is in no variable if there is none', async () => {
    expect(container(await chart()).env).toBeUndefined();
  });
});

test('a stop waits for a call to CAcert, where CAcert is on', async () => {
  expect(podTemplate(await chart()).spec.terminationGracePeriodSeconds).toBe(150);
  expect(podTemplate(await chart({ cacert: { enabled: false } })).spec.terminationGracePeriodSeconds).toBe(
    30,
  );
});

test('replicas spread over nodes, and a constraint of one’s own selects the same Pods', async () => {
  const selector = {
    matchLabels: { 'app.kubernetes.io/name': 'tinycert-operator', 'app.kubernetes.io/instance': 'pki' },
  };
  const own = { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };
  const foreign = { ...own, labelSelector: { matchLabels: { a: 'b' } } };
  const spread = async (values: Record<string, unknown>): Promise<unknown> =>
    podTemplate(await chart(values, OWN)).spec['topologySpreadConstraints'];

  expect(await spread({})).toEqual([
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: selector,
    },
  ]);
  expect(await spread({ topologySpreadConstraints: [own, foreign] })).toEqual([
    { ...own, labelSelector: selector },
    foreign,
  ]);
  const objects = await chart({ replicas: 2, podDisruptionBudget: { enabled: true } }, OWN);
  expect(onlyOne(objects, 'PodDisruptionBudget').spec).toEqual({ maxUnavailable: 1, selector });
  expect(onlyOne(objects, 'Deployment').spec?.['selector']).toEqual(selector);
  expect(podTemplate(objects).metadata.labels).toMatchObject(selector.matchLabels);
});

describe('the CRDs', () => {
  const crds = async (values: Record<string, unknown>): Promise<Rendered[]> =>
    ofKind(await chart(values), 'CustomResourceDefinition');

  test('stay when the release goes, unless that is asked for', async () => {
    const policies = async (values: Record<string, unknown>): Promise<unknown[]> =>
      (await crds(values)).map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
    expect(await policies({})).toEqual(Array.from({ length: 5 }, () => 'keep'));
    expect(await policies({ crds: { keep: false } })).toEqual(Array.from({ length: 5 }, () => undefined));
  });

  test('are those of the kinds that the operator serves', async () => {
    const names = async (values: Record<string, unknown>): Promise<string[]> =>
      (await crds(values)).map(({ metadata }) => metadata.name.split('.')[0] ?? '').toSorted();
    const tinycert = ['tinycertcertificates', 'tinycertclusterissuers', 'tinycertissuers'];
    expect(await names({})).toEqual(['cacertaccounts', 'cacertcertificates', ...tinycert]);
    expect(await names({ cacert: { enabled: false } })).toEqual(tinycert);
    expect(await names({ namespaces: ['a'], cacert: { enabled: false } })).toEqual([
      'tinycertcertificates',
      'tinycertissuers',
    ]);
    expect(await names({ crds: { enabled: false } })).toEqual([]);
  });
});

describe('the rights', () => {
  test('in all namespaces are these', async () => {
    const objects = await chart({}, OWN);
    expect(grants(ofKind(objects, 'ClusterRole').filter(isOperators))).toEqual(
      [
        ...['get', 'list', 'watch', 'patch'].flatMap((verb) =>
          ['tinycertcertificates', 'tinycertissuers', 'tinycertclusterissuers'].map(
            (each) => `${verb} ${each}`,
          ),
        ),
        ...['get', 'list', 'watch'].flatMap((verb) =>
          ['cacertcertificates', 'cacertaccounts'].map((each) => `${verb} ${each}`),
        ),
        'patch tinycertcertificates/status',
        'patch tinycertissuers/status',
        'patch tinycertclusterissuers/status',
        'patch cacertcertificates/status',
        'patch cacertaccounts/status',
        ...['get', 'list', 'watch', 'create', 'patch', 'delete'].map((verb) => `${verb} secrets`),
        'create events',
      ].toSorted(),
    );
    expect(grants(ofKind(objects, 'Role'))).toEqual(
      [
        'create leases',
        'get leases=tinycert-operator',
        'update leases=tinycert-operator',
        'create secrets',
        'get secrets=tinycert-operator-journal',
        'get secrets=tinycert-operator-journal-records',
        'get secrets=tinycert-operator-seal',
        'patch secrets=tinycert-operator-journal',
        'patch secrets=tinycert-operator-journal-records',
      ].toSorted(),
    );
  });

  test('in given namespaces are Roles there, and nothing of the cluster', async () => {
    const objects = await chart({ namespaces: ['a', 'b'] }, OWN);
    expect(ofKind(objects, 'ClusterRole', 'ClusterRoleBinding')).toEqual([]);
    expect(namesOf(ofKind(objects, 'Role'))).toEqual([
      ...['a', 'b'].flatMap((namespace) =>
        ['cacert', 'events', 'secrets', 'tinycert'].map(
          (each) => `Role ${namespace}/pki-tinycert-operator-${each}`,
        ),
      ),
      'Role pki-system/pki-tinycert-operator-events',
      'Role pki-system/pki-tinycert-operator-lease',
      'Role pki-system/pki-tinycert-operator-own-secrets',
    ]);
    expect(grants(objects).filter((each) => each.includes('clusterissuers'))).toEqual([]);
    const inOwn = objects.filter(
      ({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'pki-system',
    );
    expect(grants(inOwn).filter((each) => each.endsWith(' secrets'))).toEqual(['create secrets']);
  });

  test('in the operator’s own namespace alone name each role once', async () => {
    const names = namesOf(await chart({ namespaces: ['pki-system', 'a'] }, OWN));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names).toContain('Role pki-system/pki-tinycert-operator-events');
  });

  test('without CAcert have nothing of it, and no Secret can be deleted', async () => {
    const all = grants(await chart({ cacert: { enabled: false } }));
    expect(all.filter((each) => each.includes('cacert') || each === 'delete secrets')).toEqual([]);
    expect(all).toContain('patch secrets');
  });

  test.each([{}, { namespaces: ['a', 'b'] }])(
    'are bound to the operator’s ServiceAccount alone: %o',
    async (values) => {
      const objects = await chart({ ...values, serviceAccount: { name: 'me' } }, OWN);
      const roles = ofKind(objects, 'Role', 'ClusterRole').filter(isOperators);
      const bindings = ofKind(objects, 'RoleBinding', 'ClusterRoleBinding');
      expect(
        bindings.map(({ roleRef, metadata }) => `${roleRef?.kind} ${roleRef?.name} ${metadata.namespace}`),
      ).toEqual(roles.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.namespace}`));
      for (const { subjects } of bindings)
        expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'me', namespace: 'pki-system' }]);
      expect(podTemplate(objects).spec['serviceAccountName']).toBe('me');
    },
  );
});

describe('users', () => {
  test('get the resources by Kubernetes’ own roles, but no status, no finalizers and no Secret', async () => {
    const objects = await chart({}, OWN);
    const kinds = ['tinycertcertificates', 'tinycertissuers', 'cacertcertificates', 'cacertaccounts'];
    const lines = (verbs: string[], resources: string[]): string[] =>
      verbs.flatMap((verb) => resources.map((each) => `${verb} ${each}`)).toSorted();
    expect(rules(objects, 'operator-view')).toEqual(lines(['get', 'list', 'watch'], kinds));
    expect(rules(objects, 'operator-edit')).toEqual(
      lines(['create', 'update', 'patch', 'delete', 'deletecollection'], kinds),
    );
    expect(rules(objects, '-cluster-view')).toEqual(
      lines(['get', 'list', 'watch'], ['tinycertclusterissuers']),
    );
    expect(aggregations(objects)).toEqual({
      'pki-tinycert-operator-view': ['admin', 'cluster-reader', 'edit', 'view'],
      'pki-tinycert-operator-edit': ['admin', 'edit'],
      'pki-tinycert-operator-cluster-view': ['cluster-reader'],
    });
  });

  test('get nothing if that is switched off', async () => {
    expect(aggregations(await chart({ rbac: { aggregate: false } }))).toEqual({});
  });
});

describe('the NetworkPolicy', () => {
  test('is not there by default', async () => {
    expect(ofKind(await chart(), 'NetworkPolicy')).toEqual([]);
  });

  test('allows DNS, the API server and the CAs out, and the metrics in, by the values', async () => {
    const metricsFrom = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }];
    const networkPolicy = {
      enabled: true,
      apiServer: { cidrs: ['192.0.2.1/32'], ports: [6443] },
      cas: { cidrs: ['198.51.100.0/24', '2001:db8::/32'] },
      metricsFrom,
    };
    const tcp = (port: number) => ({ port, protocol: 'TCP' });
    expect(onlyOne(await chart({ networkPolicy }), 'NetworkPolicy').spec).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: metricsFrom, ports: [tcp(8080)] }],
      egress: [
        { ports: [{ port: 53, protocol: 'UDP' }, tcp(53)] },
        { to: [{ ipBlock: { cidr: '192.0.2.1/32' } }], ports: [tcp(6443)] },
        {
          to: [{ ipBlock: { cidr: '198.51.100.0/24' } }, { ipBlock: { cidr: '2001:db8::/32' } }],
          ports: [tcp(443)],
        },
      ],
    });
  });

  test('lets nobody in if nobody may read the metrics', async () => {
    const objects = await chart({ networkPolicy: { enabled: true, metricsFrom: [] } });
    expect(onlyOne(objects, 'NetworkPolicy').spec).toMatchObject({ ingress: [] });
  });
});

test.each(['ServiceMonitor', 'PodMonitor'])('a %s finds the operator’s metrics', async (kind) => {
  const key = kind === 'ServiceMonitor' ? 'serviceMonitor' : 'podMonitor';
  const objects = await chart({ metrics: { [key]: { enabled: true, interval: '30s', labels: { a: 'b' } } } });
  const { spec = {}, metadata } = onlyOne(objects, kind);
  expect(metadata.labels).toMatchObject({ a: 'b' });
  expect(spec['endpoints'] ?? spec['podMetricsEndpoints']).toEqual([{ port: 'metrics', interval: '30s' }]);
  const labels =
    kind === 'ServiceMonitor'
      ? onlyOne(objects, 'Service').metadata.labels
      : podTemplate(objects).metadata.labels;
  expect(labels).toMatchObject((spec['selector'] as { matchLabels: Record<string, string> }).matchLabels);
});

test('labels and annotations reach their objects', async () => {
  const objects = await chart({
    commonLabels: { owner: 'pki' },
    podLabels: { team: 'x' },
    podAnnotations: { a: 'b' },
  });
  for (const { metadata } of objects) expect(metadata.labels).toMatchObject({ owner: 'pki' });
  expect(podTemplate(objects).metadata).toMatchObject({
    labels: { owner: 'pki', team: 'x' },
    annotations: { a: 'b' },
  });
});

function isOperators({ metadata }: Rendered): boolean {
  return !/-(?:view|edit)$/.test(metadata.name);
}

/** Into which of Kubernetes' roles each role is aggregated. */
function aggregations(objects: readonly Rendered[]): Record<string, string[]> {
  const prefix = 'rbac.authorization.k8s.io/aggregate-to-';
  const found = ofKind(objects, 'ClusterRole').map(
    ({ metadata: { name, labels = {} } }): [string, string[]] => [
      name,
      Object.keys(labels)
        .filter((label) => label.startsWith(prefix))
        .map((label) => label.slice(prefix.length))
        .toSorted(),
    ],
  );
  return Object.fromEntries(found.filter(([, into]) => into.length > 0));
}
