import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that lives for one test. */
export interface ThrowawayCa {
  readonly cert: string;
  /** A certificate for 127.0.0.1 and `localhost`, for servers and clients. */
  issue(commonName: string): Promise<Pair>;
}

/** Makes an authority with the openssl command; `folder` is a temporary one of the caller. */
export async function makeCa(folder: string, name: string): Promise<ThrowawayCa> {
  const path = (file: string): string => join(folder, `${name}-${file}`);
  await openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.crt'),
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return {
    cert: await readFile(path('ca.crt'), 'utf8'),
    issue: async (commonName) => {
      const file = (suffix: string): string => path(`${commonName}.${suffix}`);
      await openssl(
        'req',
        '-new',
        ...NEW_KEY,
        '-keyout',
        file('key'),
        '-out',
        file('csr'),
        '-subj',
        `/CN=${commonName}`,
      );
      await writeFile(file('ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
      await openssl(
        'x509',
        '-req',
        '-in',
        file('csr'),
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        file('ext'),
        '-out',
        file('crt'),
      );
      return { cert: await readFile(file('crt'), 'utf8'), key: await readFile(file('key'), 'utf8') };
    },
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args);
}
