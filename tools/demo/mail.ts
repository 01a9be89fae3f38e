import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Secret } from '../../src/kube/objects.ts';
import { fileOf, withFiles } from './files.ts';

const run = promisify(execFile);

/** Signs a message with a Secret's certificate, as a mail program does, and verifies it with only its `ca.crt`. */
export function mailed(secret: Secret, from: string): Promise<{ signer: string; size: number }> {
  const files = {
    'tls.crt': fileOf(secret, 'tls.crt'),
    'tls.key': fileOf(secret, 'tls.key'),
    'ca.crt': fileOf(secret, 'ca.crt'),
    'message.txt': `From: ${from}\r\n\r\nSigned in a cluster.\r\n`,
  };
  return withFiles(files, async (cwd) => {
    const openssl = async (args: string): Promise<string> =>
      (await run('openssl', args.split(' '), { cwd })).stdout;
    await openssl(
      'smime -sign -in message.txt -out signed.eml -signer tls.crt -inkey tls.key -certfile tls.crt',
    );
    await openssl(
      'smime -verify -in signed.eml -CAfile ca.crt -purpose smimesign -signer signer.pem -out verified.txt',
    );
    const signer = await openssl('x509 -in signer.pem -noout -email');
    return { signer: signer.trim(), size: (await readFile(join(cwd, 'signed.eml'))).length };
  });
}
