import { describe, expect, test } from 'vitest';
import { apiServerArgs, auditPolicy, etcdArgs, nodeArgs } from './flags.ts';

const LAYOUT = { dataDir: '/data', etcdPort: 1001, etcdPeerPort: 1002, apiPort: 1003 };

test('both servers listen on loopback only', () => {
  const listening = [...etcdArgs(LAYOUT), ...apiServerArgs(LAYOUT, undefined, [])].filter((arg) =>
    /^--(listen|bind|insecure)/u.test(arg),
  );
  expect(listening).toEqual([
    '--listen-client-urls=http://127.0.0.1:1001',
    '--listen-peer-urls=http://127.0.0.1:1002',
    '--bind-address=127.0.0.1',
  ]);
});

describe('the API server', () => {
  test('uses RBAC and our etcd', () => {
    const args = apiServerArgs(LAYOUT, undefined, []);
    expect(args).toContain('--authorization-mode=RBAC');
    expect(args).toContain('--etcd-servers=http://127.0.0.1:1001');
  });

  test('keeps every admission plugin that is on by default', () => {
    expect(apiServerArgs(LAYOUT, undefined, []).filter((arg) => arg.includes('admission'))).toEqual([]);
  });

  test('writes an audit log only if requested', () => {
    const audit = (file?: string): string[] =>
      apiServerArgs(LAYOUT, file, []).filter((arg) => arg.startsWith('--audit'));
    expect(audit()).toEqual([]);
    expect(audit('/data/audit.log')).toContain('--audit-log-path=/data/audit.log');
  });

  test('has further arguments last, so they win', () => {
    expect(apiServerArgs(LAYOUT, undefined, ['--v=4']).at(-1)).toBe('--v=4');
  });

  test('with a node has one value for each flag, since a list would have both', () => {
    const args = apiServerArgs(LAYOUT, undefined, nodeArgs('/data', '192.0.2.9'));
    const names = args.map((arg) => arg.split('=')[0]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(args.filter((arg) => /^--(authorization-mode|bind-address)/u.test(arg))).toEqual([
      '--bind-address=0.0.0.0',
      '--authorization-mode=Node,RBAC',
    ]);
  });
});

test('the audit policy never records a body, which could have Secrets', () => {
  const policy = JSON.parse(auditPolicy()) as { rules: { level: string }[] };
  expect(new Set(policy.rules.map((rule) => rule.level))).toEqual(new Set(['None', 'Metadata']));
});
