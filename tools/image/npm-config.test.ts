import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { certificates, npmrc } from './npm-config.ts';

test('what says how to reach a registry is kept, and what is about this machine is not', () => {
  const file = `
; a comment
# another
registry = https://npm.example.org/
@scope:registry=https://scope.example.org/
//npm.example.org/:_authToken="secret"
cafile=/etc/ssl/certs/local.pem
prefix=/usr/local
cache = /var/cache/npm
strict-ssl=true
audit=false
`;
  expect(npmrc([file], {}, false).split('\n')).toEqual([
    'registry=https://npm.example.org/',
    '@scope:registry=https://scope.example.org/',
    '//npm.example.org/:_authToken=secret',
    'strict-ssl=true',
    '',
  ]);
});

test('the file of the user comes before that of the machine, and the environment before both', () => {
  const files = ['registry=https://machine/\nproxy=http://machine/', 'registry=https://user/'];
  expect(npmrc(files, {}, false)).toBe('registry=https://user/\nproxy=http://machine/\n');
  expect(
    npmrc(files, { npm_config_registry: 'https://env/', NPM_CONFIG_HTTPS_PROXY: 'http://p/' }, false),
  ).toBe('registry=https://env/\nproxy=http://machine/\nhttps-proxy=http://p/\n');
});

test('a variable in a file is replaced, as npm does, and one that is not set stays', () => {
  const file = '//a/:_authToken=${TOKEN}\n//b/:_authToken=${OTHER}';
  expect(npmrc([file], { TOKEN: 'secret' }, false)).toBe(
    '//a/:_authToken=secret\n//b/:_authToken=${OTHER}\n',
  );
});

test('a token in the environment keeps its name', () => {
  expect(npmrc([], { 'npm_config_//a.example.org/:_authToken': 'secret' }, false)).toBe(
    '//a.example.org/:_authToken=secret\n',
  );
});

test('what npm sets for its scripts, or is empty, is no configuration', () => {
  const env = { npm_config_noproxy: '', npm_config_prefix: '/usr', npm_config_cache: '/x', PATH: '/bin' };
  expect(npmrc([], env, false)).toBe('');
});

test('a proxy of the environment holds unless npm has one of its own', () => {
  expect(npmrc([], { HTTPS_PROXY: 'http://p/' }, false)).toBe('https-proxy=http://p/\n');
  expect(npmrc(['https-proxy=http://q/'], { https_proxy: 'http://p/' }, false)).toBe(
    'https-proxy=http://q/\n',
  );
});

test('the lines of a list all count', () => {
  expect(npmrc(['ca[]="one"\nca[]="two"'], {}, false)).toBe('ca[]=one\nca[]=two\n');
});

test('where certificates are mounted, npm is told where', () => {
  expect(npmrc([], {}, true)).toBe('cafile=/run/secrets/ca\n');
});

test('certificates that the environment adds are added to those that npm has', () => {
  expect(certificates('', '')).toBeUndefined();
  expect(certificates('own\n', '')).toBe('own\n');
  expect(certificates('own\n', 'extra\n')).toBe('own\nextra\n');
  expect(certificates('own\nextra\n', 'extra\n')).toBe('own\nextra\n');
  const all = certificates('', 'extra\n');
  expect(all).toContain(rootCertificates[0]);
  expect(all).toContain('extra\n');
});
