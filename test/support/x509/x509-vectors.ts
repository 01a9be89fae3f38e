import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM, made by the openssl command. */
export interface Vector {
  cert: string;
  key: string;
}

export interface VectorOptions {
  /** In openssl's form: `/C=NL/O=ACME, Inc./CN=example.com`. */
  subject: string;
  /** The vector that signs; by default itself. */
  issuer?: Vector;
  /** Lines of an extensions section. */
  extensions?: readonly string[];
  serial?: string;
  days?: number;
  /** RSA with 2048 bits by default. */
  curve?: string;
}

/** The extensions of every authority. */
export const AUTHORITY: readonly string[] = ['basicConstraints=critical,CA:TRUE'];

/** Makes certificates in a temporary folder that `remove` deletes. No vector is older than the test that uses it. */
export class Vectors {
  readonly folder = mkdtempSync(join(tmpdir(), 'x509-vectors-'));
  #count = 0;

  make(options: VectorOptions): Vector {
    const { subject, issuer, extensions = [], serial = '7', days = 10, curve } = options;
    this.#count += 1;
    const key = this.path('key');
    const out = this.path('crt');
    this.openssl(
      'genpkey',
      ...(curve === undefined
        ? ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
        : ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`]),
      '-out',
      key,
    );
    const request = this.path('csr');
    this.openssl('req', '-new', '-utf8', '-key', key, '-subj', subject, '-out', request);
    this.openssl(
      'x509',
      '-req',
      '-in',
      request,
      '-set_serial',
      serial,
      '-days',
      String(days),
      '-sha256',
      '-extfile',
      this.write('ext', `${extensions.join('\n')}\n`),
      ...(issuer
        ? ['-CA', this.write('ca', issuer.cert), '-CAkey', this.write('cakey', issuer.key)]
        : ['-signkey', key]),
      '-out',
      out,
    );
    return { cert: readFileSync(out, 'utf8'), key: readFileSync(key, 'utf8') };
  }

  /** Runs openssl and returns its output. */
  openssl(...args: string[]): string {
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Writes a file and returns its path. */
  write(suffix: string, text: string): string {
    const file = this.path(suffix);
    writeFileSync(file, text);
    return file;
  }

  path(suffix: string): string {
    return join(this.folder, `${this.#count}.${suffix}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
