import type { DevServer } from './types.ts';

/** The ready line for programs. */
export function readyLine(server: DevServer): string {
  const { endpoint, caFile, email, passphrase, apiKey, controlUrl } = server;
  return JSON.stringify({ endpoint, caFile, email, passphrase, apiKey, controlUrl });
}

/** The text for people: what runs where, and manifests to apply. */
export function welcome(server: DevServer): string {
  const { endpoint, caFile, controlUrl, email, passphrase, apiKey } = server;
  const [authority] = server.authorities();
  const name = JSON.stringify(authority?.name);
  const trust = server.caPem === '' ? '' : `  caBundle: |\n${indented(server.caPem.trimEnd(), 4)}\n`;
  const spec = `spec:
  endpoint: ${endpoint}
${trust}  credentialsSecretRef:
    name: tinycert-dev
  authority:
    name: ${name}
`;
  return `A TinyCert server for development runs on this machine. Stop it with Ctrl-C.

  API          ${endpoint}
  trust        ${caFile === '' ? 'none needed: plain HTTP' : caFile}
  control      ${controlUrl}
               (GET /journal, /certificates, /authorities, /faults, /stats; PUT /options; POST /faults ...)
  authority    ${name}, id ${server.authorityId}

The account's credentials, as a Secret:

apiVersion: v1
kind: Secret
metadata:
  name: tinycert-dev
stringData:
  email: ${JSON.stringify(email)}
  passphrase: ${JSON.stringify(passphrase)}
  apiKey: ${JSON.stringify(apiKey)}

An issuer for one namespace, the Secret beside it:

apiVersion: tinycert-operator.io/v1alpha1
kind: TinyCertIssuer
metadata:
  name: dev
${spec}
The same for every namespace, the Secret in the operator's own:

apiVersion: tinycert-operator.io/v1alpha1
kind: TinyCertClusterIssuer
metadata:
  name: dev
${spec}`;
}

function indented(text: string, by: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(by));
}
