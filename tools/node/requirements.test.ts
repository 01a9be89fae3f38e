import { expect, test } from 'vitest';
import { explain } from '../control-plane/errors.ts';
import { requireMachine, type Machine } from './requirements.ts';

function machine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: 'linux',
    isRoot: true,
    hasProgram: async () => true,
    hasFile: async () => true,
    ...changes,
  };
}

async function refusal(changes: Partial<Machine>): Promise<string> {
  return requireMachine({ buildah: 'buildah' }, machine(changes)).then(
    () => 'accepted',
    (error: unknown) => explain(error),
  );
}

test('a machine that has everything is accepted', async () => {
  expect(await refusal({})).toBe('accepted');
});

test('all packages that are missing are named at once, with the command', async () => {
  const missing = new Set(['runc', 'iptables', 'iptables-save', 'buildah']);
  const text = await refusal({
    hasProgram: async (name) => !missing.has(name),
    hasFile: async (path) => path !== '/usr/lib/cni/bridge',
  });
  expect(text).toBe(
    'This needs packages of Debian that are missing: iptables runc buildah containernetworking-plugins.\n' +
      '  apt-get install --yes --no-install-recommends iptables runc buildah containernetworking-plugins',
  );
});

test('another user and another system are sent to Docker', async () => {
  expect(await refusal({ isRoot: false })).toContain('by root only');
  expect(await refusal({ platform: 'darwin' })).toContain('on Linux only');
});
