import type { CAcertServer } from './types.ts';

/** The ready line for programs. */
export function readyLine(server: CAcertServer): string {
  const { endpoint, caFile, username, password, controlUrl } = server;
  return JSON.stringify({ endpoint, caFile, username, password, controlUrl });
}

/** The text for people: what runs where, and how to try it. */
export function welcome(server: CAcertServer): string {
  const { endpoint, caFile, controlUrl, username, password } = server;
  return `A CAcert server for development runs on this machine. Stop it with Ctrl-C.

  API          ${endpoint}
  authorities  ${caFile}
               (class 1 root and class 3 intermediate; the site's own TLS is under the root)
  control      ${controlUrl}
               (GET /journal, /requests, /certificates, /members, /faults, /stats; PUT /options; POST /faults ...)
  username     ${username}
  password     ${password}

What the account offers:

  curl --cacert ${caFile} --data-urlencode username=${username} --data-urlencode password=${password} \\
    ${endpoint}cemails.php

The credentials as a Secret:

apiVersion: v1
kind: Secret
metadata:
  name: cacert-dev
stringData:
  username: ${JSON.stringify(username)}
  password: ${JSON.stringify(password)}
`;
}
