/** What the parts of `src/issuance` that know no CA may import. */
const neutral = [
  'src/issuance/certificate-kind.ts',
  'src/issuance/clock-skew.ts',
  'src/api',
  'src/lib',
] as const;

/**
 * Who may import whom. A folder may import itself and what its row names; everything else fails the check.
 * Upward arrows are what turns a layered program into a ball, so the table is short on purpose.
 */
export const imports: Record<string, readonly string[]> = {
  'src/main.ts': ['src/operator', 'src/lib', 'src/kube'],
  'src/operator': [
    'src/tinycert-certificates',
    'src/tinycert-issuers',
    'src/cacert-certificates',
    'src/cacert-accounts',
    'src/issuance',
    'src/account',
    'src/api',
    'src/tinycert',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/tinycert-certificates': [
    'src/issuance',
    'src/account',
    'src/api',
    'src/tinycert',
    'src/x509',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/tinycert-issuers': [
    'src/issuance',
    'src/account',
    'src/api',
    'src/tinycert',
    'src/x509',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/cacert-accounts': [
    'src/issuance',
    'src/account',
    'src/api',
    'src/cacert',
    'src/x509',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/cacert-certificates': [
    'src/issuance',
    'src/account',
    'src/api',
    'src/cacert',
    'src/x509',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/issuance/secret': [...neutral, 'src/issuance/status', 'src/x509', 'src/kube'],
  'src/issuance/status': [...neutral, 'src/kube'],
  'src/issuance/renewal': neutral,
  'src/issuance/attempt': [...neutral, 'src/issuance/status'],
  'src/issuance': [
    'src/account',
    'src/api',
    'src/tinycert',
    'src/cacert',
    'src/x509',
    'src/kube',
    'src/metrics',
    'src/lib',
  ],
  'src/account': ['src/tinycert', 'src/cacert', 'src/http', 'src/http', 'src/kube', 'src/metrics', 'src/lib'],
  'src/api': ['src/x509', 'src/kube/objects.ts', 'src/lib'],
  'src/tinycert': ['src/http', 'src/lib'],
  'src/cacert': ['src/http', 'src/lib'],
  'src/http': ['src/lib'],
  'src/x509': ['src/lib'],
  'src/kube': ['src/metrics', 'src/lib'],
  'src/metrics': ['src/lib'],
  'src/lib': [],
};

/** Folders whose code may open sockets; all others go through them. */
export const sockets: readonly string[] = ['src/kube', 'src/http', 'tools', 'bench', 'test'];

/** Modules that open sockets or start processes. */
export const socketModules: readonly string[] = [
  'undici',
  'node:net',
  'node:tls',
  'node:http',
  'node:https',
  'node:http2',
  'node:dgram',
  'node:dns',
];

/** Packages that only one file may import. */
export const onlyIn: Record<string, readonly string[]> = {
  '@kubernetes/client-node': ['src/kube/config/kubeconfig.ts'],
  'prom-client': ['src/metrics'],
  pino: ['src/lib/log.ts'],
};
