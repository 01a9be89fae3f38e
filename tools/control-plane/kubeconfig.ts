/** A user's credentials: a client certificate (PEM) or a bearer token. */
export type UserCredential = { cert: string; key: string } | { token: string };

/** A kubeconfig with everything inline: one cluster, one user, one context. It is JSON, which every YAML parser accepts. */
export function kubeconfigText(server: string, caCert: string, user: UserCredential, name = 'user'): string {
  const credential =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'control-plane', cluster: { server, 'certificate-authority-data': base64(caCert) } }],
    users: [{ name, user: credential }],
    contexts: [
      { name: 'control-plane', context: { cluster: 'control-plane', user: name, namespace: 'default' } },
    ],
    'current-context': 'control-plane',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
