import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import type { Environment } from '../control-plane/folders.ts';
import { outputOf } from './process.ts';

/** How this machine reaches its package registry: the contents of the files that the build mounts. */
export interface RegistryAccess {
  /** An .npmrc. */
  npmrc: string;
  /** Certificates in PEM; undefined where Node's own do. */
  ca: string | undefined;
}

/** What of an npm configuration says how to reach a registry. All else is about this machine's folders and habits. */
const WANTED =
  /^(?:registry|@[^/]+:registry|\/\/.+|proxy|https-proxy|noproxy|strict-ssl|ca(?:\[\])?|_auth|_authToken|username|_password|email)$/;

/** Where the build finds the certificates: where both engines mount the secret `ca`. */
const CA_IN_BUILD = '/run/secrets/ca';

/** Reads it from npm's files and the environment, as npm itself does. */
export async function registryAccess(env: Environment = process.env): Promise<RegistryAccess> {
  const places = await outputOf('npm', ['config', 'get', 'globalconfig', 'userconfig', 'cafile']);
  const place = new Map(entriesOf(places ?? ''));
  const files = await Promise.all(
    [place.get('globalconfig'), place.get('userconfig')].map((file) => textOf(file)),
  );
  const cafile = place.get('cafile');
  const ca = certificates(
    await textOf(cafile === 'null' ? undefined : cafile),
    await textOf(env['NODE_EXTRA_CA_CERTS']),
  );
  return { npmrc: npmrc(files, env, ca !== undefined), ca };
}

/** The lines of the files that say how to reach a registry, then those of the environment, which come first at npm: the last one holds. */
export function npmrc(files: readonly string[], env: Environment, hasCa: boolean): string {
  const lines = new Map<string, string>();
  for (const file of files)
    for (const [key, value] of entriesOf(file))
      // Of a list each line counts, of all else the last one.
      if (WANTED.test(key))
        lines.set(key.endsWith('[]') ? `${key}${lines.size}` : key, `${key}=${expand(value, env)}`);
  for (const [name, value = ''] of Object.entries(env)) {
    const key = keyOf(name);
    if (key !== undefined && value !== '') lines.set(key, `${key}=${value}`);
  }
  const proxy = env['HTTPS_PROXY'] ?? env['https_proxy'];
  if (proxy !== undefined && !lines.has('https-proxy')) lines.set('https-proxy', `https-proxy=${proxy}`);
  if (hasCa) lines.set('cafile', `cafile=${CA_IN_BUILD}`);
  return [...lines.values()].map((line) => `${line}\n`).join('');
}

/** The certificates that npm trusts: those of `cafile`, or Node's own, and those that the environment adds. */
export function certificates(cafile: string, extra: string): string | undefined {
  if (cafile === '' && extra === '') return undefined;
  const base = cafile === '' ? rootCertificates.join('\n') : cafile;
  return base.includes(extra) ? base : `${base.trimEnd()}\n${extra}`;
}

/** The key that a variable such as `npm_config_strict_ssl` sets; undefined for all that have no part in this. */
function keyOf(variable: string): string | undefined {
  const name = /^npm_config_(.+)$/i.exec(variable)?.[1];
  if (name === undefined) return undefined;
  // Names of registries keep their underscores; so do keys that begin with one.
  const key = /^[/@_]/.test(name) ? name : name.toLowerCase().replaceAll('_', '-');
  return WANTED.test(key) ? key : undefined;
}

/** The keys of an ini file without sections, and their values. */
function entriesOf(text: string): [string, string][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith(';') && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=');
      const value = line.slice(at + 1).trim();
      return [line.slice(0, at).trim(), value.replace(/^"(.*)"$/, '$1')];
    });
}

/** `${NAME}`, as npm replaces it. A variable that is not set stays as it is. */
function expand(value: string, env: Environment): string {
  return value.replaceAll(/\$\{(\w+)\}/g, (all, name: string) => env[name] ?? all);
}

async function textOf(file: string | undefined): Promise<string> {
  return file === undefined || file === '' ? '' : readFile(file, 'utf8').catch(() => '');
}
