import { request } from 'node:http';

/** The server refused, such as a reissue of a certificate that has been replaced. */
export class CaRefused extends Error {}

/** Sends one request to the control URL of a dev server. Rejects with a `CaRefused` if that refuses it. */
export function askControl<T>(controlUrl: string, method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, controlUrl), { method }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const status = incoming.statusCode ?? 0;
        if (status >= 300) reject(new CaRefused(`${method} ${path}: ${status} ${text.slice(0, 200)}`));
        else resolve((text === '' ? undefined : JSON.parse(text)) as T);
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
