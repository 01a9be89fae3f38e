import { BlockList, isIP } from 'node:net';
import { type InvalidOptions, isLoopback } from './endpoint.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an endpoint, if it has one. The rules are those of Go's `httpproxy`, which the rest of a cluster follows:
 * `HTTPS_PROXY` or `https_proxy` (a bare `host:port` means `http://`), but not for this machine and not for hosts in
 * `NO_PROXY` or `no_proxy`. Requests go through a `CONNECT` tunnel, so the proxy cannot read them.
 */
export function proxyFor(endpoint: URL, env: Environment, invalidOptions: InvalidOptions): URL | undefined {
  const setting = env['HTTPS_PROXY'] || env['https_proxy'];
  if (!setting || endpoint.protocol !== 'https:' || isLoopback(endpoint.hostname)) return undefined;
  if (isExempt(endpoint, env['NO_PROXY'] || env['no_proxy'] || '')) return undefined;
  const proxy = URL.parse(setting.includes('://') ? setting : `http://${setting}`);
  // The setting may contain a password, so it stays out of the error.
  if (!proxy || !proxy.hostname) throw invalidOptions('HTTPS_PROXY is not a URL.');
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
    throw invalidOptions('HTTPS_PROXY must start with http:// or https://.');
  return proxy;
}

/** Whether a comma-separated list of hosts, `.suffixes`, `host:port`, addresses, CIDR ranges or `*` names the URL. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const port = url.port || '443';
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(entry, host);
  const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
  const hasPort = withPort !== null && (entry.startsWith('[') || isIP(entry) === 0);
  if (hasPort && withPort[2] !== port) return false;
  const name = (hasPort ? (withPort[1] ?? '') : entry).replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (name.startsWith('.')) return host.endsWith(name);
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  return host === name || (isIP(name) === 0 && host.endsWith(`.${name}`));
}

function isInRange(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/');
  const family = isIP(network);
  const length = Number(prefix);
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(prefix) || length > (family === 4 ? 32 : 128))
    return false;
  const range = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  range.addSubnet(network, length, type);
  return range.check(host, type);
}
