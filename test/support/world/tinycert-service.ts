import { execFile } from 'node:child_process';
import { onTestFinished } from 'vitest';
import {
  createTinyCertClient,
  type CreateCertificateInput,
  type TinyCertClient,
  type TinyCertClientOptions,
} from '../../../src/tinycert/index.ts';
import { type DevServer, type DevServerOptions, startDevServer } from '../../../tools/dev-server/index.ts';

/** A dev server for one test, stopped after it. */
export async function aService(options: DevServerOptions = {}): Promise<DevServer> {
  const service = await startDevServer(options);
  onTestFinished(() => service.stop());
  return service;
}

/** A client of the service's own account for one test, closed after it. */
export function aClient(service: DevServer, options: Partial<TinyCertClientOptions> = {}): TinyCertClient {
  const { endpoint, caPem, email, passphrase, apiKey } = service;
  const client = createTinyCertClient({
    endpoint,
    ca: caPem,
    credentials: { email, passphrase, apiKey },
    env: {},
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

/** Parameters of `createCertificate` for a plain web server. */
export function webServer(
  { authorityId }: Pick<DevServer, 'authorityId'>,
  input: Partial<CreateCertificateInput> = {},
): CreateCertificateInput {
  return {
    authorityId,
    subject: { commonName: 'www.example.com', country: 'NL', organization: 'ACME, Inc.' },
    alternativeNames: [{ type: 'DNS', value: 'www.example.com' }],
    ...input,
  };
}

/** All certificates and authorities of the service: the same before and after a call that did not act. */
export function holdings(service: DevServer): object {
  return structuredClone({ certificates: service.certificates(), authorities: service.authorities() });
}

/** The calls that arrived, in order. */
export function arrived(service: DevServer, since = 0): string[] {
  return service.journal(since).map(({ call }) => call);
}

/** The number of the latest call. */
export function latest(service: DevServer): number {
  return service.journal().at(-1)?.seq ?? 0;
}

/** The error of a call that must fail. */
export function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('The call should have failed.');
    },
    (error: unknown) => error,
  );
}

/** The output of the openssl program for `input`; `-passin env:PASSPHRASE` passes the passphrase. */
export function openssl(args: readonly string[], input: string | Buffer, passphrase = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PASSPHRASE: passphrase };
    const child = execFile('openssl', args, { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`openssl ${args.join(' ')}: ${stderr}`));
      else resolve(stdout);
    });
    // A program that refuses its input early closes the pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** The certificates of a PEM text, in order. */
export function pemCertificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
}
