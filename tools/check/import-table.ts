/**
 * Who may import whom. A file belongs to the first row whose place it is in, so a sub-folder stands above its parent. It may
 * import its own place and what the row names; everything else fails the check. Upward arrows are what turns a layered
 * program into a ball, so the rows are short on purpose.
 */
export const imports: Record<string, readonly string[]> = {
  'src/main.ts': ['src/operator', 'src/lib', 'src/kube'],
  'src/operator': [
    'src/tinycert-certificates',
    'src/tinycert-issuers',
    'src/cacert-certificates',
    'src/cacert-accounts',
    ...issuanceAndBelow(),
    'src/tinycert',
  ],

  // TinyCert's certificates: the root over its sub-folders, each over those below it.
  ...layers(
    'src/tinycert-certificates',
    ['deletion', 'revocation', 'issue', 'recovery', 'secret', 'status', 'decide', 'context'],
    [...issuanceAndBelow(), 'src/tinycert', 'src/x509'],
  ),
  'src/tinycert-issuers': [...issuanceAndBelow(), 'src/tinycert', 'src/x509'],
  'src/cacert-certificates': [...issuanceAndBelow(), 'src/cacert', 'src/x509'],
  'src/cacert-accounts': [...issuanceAndBelow(), 'src/cacert', 'src/x509'],

  // What all certificates share knows no CA; what is one CA's own stands beside it.
  'src/issuance/tinycert': [
    ...sharedIssuance(),
    'src/journal',
    'src/account',
    'src/api',
    'src/tinycert',
    'src/x509',
    ...kube(),
  ],
  'src/issuance/cacert': [...sharedIssuance(), 'src/account', 'src/api', 'src/cacert', 'src/x509', ...kube()],
  'src/issuance/decide': [...sharedIssuance(), 'src/account/gate', 'src/api', 'src/x509', ...kube()],
  'src/issuance/secret': [...neutral(), 'src/issuance/status', 'src/x509', ...kube()],
  'src/issuance/renewal': neutral(),
  'src/issuance/attempt': [...neutral(), 'src/issuance/status'],
  'src/issuance/status': [...neutral(), ...kube()],
  'src/issuance': [...neutral(), ...kube()],

  // The journal of attempts knows no CA and no kind.
  'src/journal': kube(),

  'src/account/gate': ['src/lib'],
  'src/account/tinycert': [],
  'src/account': ['src/tinycert', 'src/cacert', 'src/http', 'src/api/tinycert/identity.ts', ...kube()],
  'src/api/generate': ['src/api', 'src/kube/objects.ts', 'src/lib'],
  'src/api/tinycert': ['src/api/schema', 'src/api/names.ts', 'src/x509', 'src/lib'],
  'src/api/cacert': ['src/api/schema', 'src/api/names.ts', 'src/x509', 'src/lib'],
  'src/api/schema': ['src/api/names.ts', 'src/kube/objects.ts', 'src/x509', 'src/lib'],
  'src/api': ['src/x509', 'src/kube/objects.ts', 'src/lib'],
  'src/tinycert': ['src/http', 'src/lib'],
  'src/cacert': ['src/http', 'src/lib'],
  'src/http': ['src/lib'],
  'src/x509': ['src/lib'],
  'src/kube/config': ['src/lib'],
  'src/kube/transport': ['src/kube/config', 'src/kube/errors.ts', 'src/metrics', 'src/lib'],
  'src/kube/watch': [
    'src/kube/transport',
    'src/kube/client.ts',
    'src/kube/errors.ts',
    'src/kube/objects.ts',
    'src/kube/paths.ts',
    'src/metrics',
    'src/lib',
  ],
  'src/kube/controller': ['src/kube/errors.ts', 'src/kube/objects.ts', 'src/metrics', 'src/lib'],
  'src/kube': ['src/metrics', 'src/lib'],
  'src/metrics': ['src/lib'],
  'src/lib': [],
};

function kube(): string[] {
  return ['src/kube', 'src/metrics', 'src/lib'];
}

function issuanceAndBelow(): string[] {
  return ['src/issuance', 'src/journal', 'src/account', 'src/api', ...kube()];
}

/** What code that knows no CA may import. */
function neutral(): string[] {
  return ['src/issuance/certificate-kind.ts', 'src/issuance/clock-skew.ts', 'src/api', 'src/lib'];
}

/** What all certificates share, whatever their CA. */
function sharedIssuance(): string[] {
  const shared = ['decide', 'secret', 'renewal', 'attempt', 'status'].map((each) => `src/issuance/${each}`);
  return [...neutral(), ...shared];
}

/**
 * The rows of a folder in layers: each sub-folder may import those behind it and `below`; the folder's own files may import all
 * of them.
 */
function layers(
  folder: string,
  subFolders: readonly string[],
  below: readonly string[],
): Record<string, readonly string[]> {
  const places = subFolders.map((each) => `${folder}/${each}`);
  return {
    ...Object.fromEntries(places.map((place, i) => [place, [...places.slice(i + 1), ...below]])),
    [folder]: below,
  };
}

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
  '@kubernetes/client-node': ['src/kube/config/client-node.ts'],
  'prom-client': ['src/metrics'],
  pino: ['src/lib/log.ts'],
};
