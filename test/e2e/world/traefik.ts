import { TRAEFIK_IMAGE } from '../../../tools/node/versions.ts';
import { until } from './until.ts';
import { handshake, type Target } from './tls.ts';
import type { World } from './world.ts';

const EDGE = 'edge';
const NODE_PORT = 30443;
const HTTPS = 8443;
const PING = 8082;
const INGRESS_CLASS = 'traefik';

/** Where Traefik is running already. */
const running = new WeakSet<World>();

/** Runs Traefik as the cluster's ingress controller, reachable at a port of the node. */
export async function ensureTraefik(world: World): Promise<void> {
  if (running.has(world)) return;
  const { kubectl, cluster, supplies } = world;
  await cluster.load(supplies.traefikArchive);
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: EDGE } }]);
  await kubectl.apply(traefikObjects());
  await kubectl.run(['rollout', 'status', 'deployment/traefik', `--namespace=${EDGE}`, '--timeout=120s']);
  running.add(world);
}

/** Lets Traefik serve the host with the certificate in the Secret, in front of the world's own server. */
export async function serve(
  { kubectl, cluster, backendPort }: World,
  namespace: string,
  host: string,
  secretName: string,
): Promise<void> {
  const metadata = { namespace, name: 'shop' };
  await kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { ports: [{ name: 'http', port: 80, targetPort: backendPort }] },
    },
    // The server is no Pod, so its address is written by hand.
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'shop' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [cluster.hostAddress], conditions: { ready: true } }],
      ports: [{ name: 'http', port: backendPort, protocol: 'TCP' }],
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: {
        ingressClassName: INGRESS_CLASS,
        tls: [{ hosts: [host], secretName }],
        rules: [
          {
            host,
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 'shop', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
    },
  ]);
}

/** Where Traefik serves that host, for clients that trust the CA. */
export function targetOf({ cluster, ca }: World, host: string): Target {
  const authority = ca.authorities().find(({ id }) => id === ca.authorityId);
  return { address: cluster.nodeAddress, port: NODE_PORT, host, ca: authority?.pem ?? '' };
}

/** Waits until the host is served with the certificate of that serial number. Until then Traefik serves its own, which nobody trusts. */
export async function untilServed(target: Target, serial: string, seconds = 30): Promise<void> {
  let last = 'nothing yet';
  await until(
    `${target.host} is served with the certificate ${serial}`,
    async () => {
      try {
        const { serialNumber } = await handshake(target);
        last = serialNumber;
        return serialNumber === serial ? true : undefined;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
        return undefined;
      }
    },
    seconds,
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)} Seen last: ${last}`, {
      cause: error,
    });
  });
}

function traefikObjects(): object[] {
  const metadata = { name: 'traefik', namespace: EDGE };
  const labels = { app: 'traefik' };
  const rule = (apiGroup: string, resources: string[], verbs: string[]): object => ({
    apiGroups: [apiGroup],
    resources,
    verbs,
  });
  const read = ['get', 'list', 'watch'];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'traefik' },
      rules: [
        rule('', ['services', 'secrets', 'nodes', 'namespaces', 'configmaps'], read),
        rule('discovery.k8s.io', ['endpointslices'], read),
        rule('networking.k8s.io', ['ingresses', 'ingressclasses'], read),
        rule('networking.k8s.io', ['ingresses/status'], ['update']),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'traefik' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'traefik' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: INGRESS_CLASS },
      spec: { controller: 'traefik.io/ingress-controller' },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'traefik',
            containers: [
              {
                name: 'traefik',
                image: TRAEFIK_IMAGE,
                imagePullPolicy: 'Never',
                args: [
                  `--entrypoints.websecure.address=:${HTTPS}`,
                  '--entrypoints.websecure.http.tls=true',
                  `--entrypoints.ping.address=:${PING}`,
                  '--ping.entrypoint=ping',
                  '--providers.kubernetesingress=true',
                  '--global.checknewversion=false',
                  '--global.sendanonymoususage=false',
                  '--log.nocolor=true',
                ],
                ports: [{ name: 'https', containerPort: HTTPS }],
                readinessProbe: { httpGet: { path: '/ping', port: PING }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [{ name: 'https', port: 443, targetPort: 'https', nodePort: NODE_PORT }],
      },
    },
  ];
}
