import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { kubeconfigText } from './kubeconfig.ts';

function read(text: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  return config;
}

const decode = (data: string | undefined): string => Buffer.from(data ?? '', 'base64').toString();

test('a client certificate is inline, with the server and its CA', () => {
  const config = read(kubeconfigText('https://127.0.0.1:2', 'CA', { cert: 'CERT', key: 'KEY' }, 'jane'));
  expect(config.getCurrentCluster()?.server).toBe('https://127.0.0.1:2');
  expect(config.getCurrentCluster()?.skipTLSVerify).toBe(false);
  expect(decode(config.getCurrentCluster()?.caData)).toBe('CA');
  const user = config.getCurrentUser();
  expect([user?.name, decode(user?.certData), decode(user?.keyData), user?.token]).toEqual([
    'jane',
    'CERT',
    'KEY',
    undefined,
  ]);
});

test('a token is the only credential of its user', () => {
  const user = read(kubeconfigText('https://127.0.0.1:2', 'CA', { token: 'abc' })).getCurrentUser();
  expect([user?.token, user?.certData, user?.keyData]).toEqual(['abc', undefined, undefined]);
});
