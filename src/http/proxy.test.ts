import { describe, expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';
import { invalidOptions } from './test-client.ts';

const proxy = 'http://proxy.example:3128';

function chosen(endpoint: string, env: Record<string, string>): string | undefined {
  return proxyFor(new URL(endpoint), env, invalidOptions)?.href;
}

describe('the proxy', () => {
  test.each([
    ['HTTPS_PROXY', { HTTPS_PROXY: proxy }, `${proxy}/`],
    ['https_proxy', { https_proxy: proxy }, `${proxy}/`],
    ['HTTPS_PROXY before https_proxy', { HTTPS_PROXY: proxy, https_proxy: 'http://other' }, `${proxy}/`],
    ['a bare host and port', { HTTPS_PROXY: 'proxy.example:3128' }, `${proxy}/`],
    ['an https proxy', { HTTPS_PROXY: 'https://proxy.example' }, 'https://proxy.example/'],
    ['nothing', {}, undefined],
    ['an empty setting', { HTTPS_PROXY: '' }, undefined],
    ['HTTP_PROXY alone, which is not for https', { HTTP_PROXY: proxy }, undefined],
  ])('comes from %s', (_name, env, expected) => {
    expect(chosen('https://www.tinycert.org/api/v1/', env as Record<string, string>)).toBe(expected);
  });

  test.each([
    ['https://localhost:8443/'],
    ['https://127.0.0.1/'],
    ['https://127.8.9.1/'],
    ['https://[::1]:1/'],
    ['http://127.0.0.1/'],
  ])('is not used for this machine (%s)', (endpoint) => {
    expect(chosen(endpoint, { HTTPS_PROXY: proxy })).toBeUndefined();
  });

  test.each([
    ['*', 'https://www.tinycert.org/', true],
    ['tinycert.org', 'https://www.tinycert.org/', true],
    ['www.tinycert.org', 'https://www.tinycert.org/', true],
    ['WWW.TinyCert.org', 'https://www.tinycert.org/', true],
    ['www.tinycert.org.', 'https://www.tinycert.org/', true],
    ['.tinycert.org', 'https://www.tinycert.org/', true],
    ['*.tinycert.org', 'https://www.tinycert.org/', true],
    ['.tinycert.org', 'https://tinycert.org/', false],
    ['*.tinycert.org', 'https://tinycert.org/', false],
    ['cert.org', 'https://www.tinycert.org/', false],
    ['ww.tinycert.org', 'https://www.tinycert.org/', false],
    [' a.example , tinycert.org ', 'https://www.tinycert.org/', true],
    ['a.example,,b.example', 'https://www.tinycert.org/', false],
    ['tinycert.org:443', 'https://www.tinycert.org/', true],
    ['tinycert.org:8443', 'https://www.tinycert.org/', false],
    ['tinycert.org:8443', 'https://www.tinycert.org:8443/', true],
    ['192.0.2.7', 'https://192.0.2.7/', true],
    ['192.0.2.7', 'https://192.0.2.70/', false],
    ['192.0.2.7:443', 'https://192.0.2.7/', true],
    ['192.0.2.0/24', 'https://192.0.2.7/', true],
    ['192.0.2.0/24', 'https://192.0.3.7/', false],
    ['192.0.2.0/33', 'https://192.0.2.7/', false],
    ['192.0.2.0/x', 'https://192.0.2.7/', false],
    ['192.0.2.0/24', 'https://www.tinycert.org/', false],
    ['2001:db8::/32', 'https://[2001:db8::7]/', true],
    ['2001:db8::7', 'https://[2001:db8::7]/', true],
    ['[2001:db8::7]:443', 'https://[2001:db8::7]/', true],
    ['[2001:db8::7]:444', 'https://[2001:db8::7]/', false],
    ['2001:db8::/32', 'https://192.0.2.7/', false],
  ])('NO_PROXY=%s exempts %s: %s', (list, endpoint, exempt) => {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: list };

    expect(chosen(endpoint, env)).toBe(exempt ? undefined : `${proxy}/`);
  });

  test('NO_PROXY may be in lower case', () => {
    expect(
      chosen('https://www.tinycert.org/', { https_proxy: proxy, no_proxy: 'tinycert.org' }),
    ).toBeUndefined();
  });

  test.each(['socks5://user:hunter2@proxy', 'http://user:hunter2@', 'http://user:hunter2@proxy:port'])(
    'is refused without showing its password (%#)',
    (setting) => {
      let thrown: unknown;
      try {
        chosen('https://www.tinycert.org/', { HTTPS_PROXY: setting });
      } catch (error) {
        thrown = error;
      }

      expect(thrown).toMatchObject({ code: 'InvalidOptions' });
      expect(JSON.stringify(thrown) + String(thrown)).not.toContain('hunter2');
    },
  );
});
