import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { silentLog } from '../../lib/log.ts';
import { createMetrics } from '../../metrics/registry.ts';
import { type ListenersOptions, openListeners } from './listeners.ts';

function opening(settings: Partial<ListenersOptions['settings']>, signal = new AbortController().signal) {
  return openListeners({
    settings: { metricsBindAddress: '0', healthProbeBindAddress: '0', ...settings },
    registry: createMetrics().registry,
    livez: {},
    readyz: {},
    clock: new VirtualClock(),
    log: silentLog,
    signal,
  });
}

async function takenAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ['metricsBindAddress', 'metrics-bind-address', 'TINYCERT_OPERATOR_METRICS_BIND_ADDRESS'],
  ['healthProbeBindAddress', 'health-probe-bind-address', 'TINYCERT_OPERATOR_HEALTH_PROBE_BIND_ADDRESS'],
] as const)(
  'a port that is taken (%s) is refused by the name of its flag',
  async (setting, flag, variable) => {
    const address = await takenAddress();
    await expect(opening({ [setting]: address })).rejects.toThrow(
      `--${flag}: ${address} is in use already: end what listens there, or give another address, or 0 for none (${variable}).`,
    );
  },
);

test('one port for both is refused by the name of the second flag', async () => {
  const address = await takenAddress();
  const free = address.replace('127.0.0.1', '127.0.0.2');
  await expect(opening({ metricsBindAddress: free, healthProbeBindAddress: free })).rejects.toThrow(
    `--health-probe-bind-address: ${free} is in use already`,
  );
  // The first is not left open.
  await (
    await opening({ metricsBindAddress: free })
  )();
});

test('an address of another machine is refused, with what to do', async () => {
  await expect(opening({ metricsBindAddress: '192.0.2.1:0' })).rejects.toThrow(
    '--metrics-bind-address: 192.0.2.1:0 is no address of this machine: give one that is, or none before the colon for all, or 0',
  );
});

test('a stop ends the wait for a port', async () => {
  const stop = new AbortController();
  const opened = opening({ healthProbeBindAddress: 'localhost:0' }, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(opened).rejects.toThrow('stopped');
});
