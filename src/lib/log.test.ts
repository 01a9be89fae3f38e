import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { TerminalError } from './errors.ts';
import { type LogOptions, type Logger, createLogger, silentLog } from './log.ts';

function capture(options: Partial<LogOptions> = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const clock = new VirtualClock('2026-01-02T03:04:05.678Z');
  return { log: createLogger({ level: 'debug', format: 'json', destination, clock, ...options }), lines };
}

function only(lines: string[]): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

test('a JSON line has time, level, fields and message', () => {
  const { log, lines } = capture();
  log.info({ name: 'web', count: 3 }, 'Certificate issued, 100%d');
  expect(only(lines)).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    level: 'info',
    name: 'web',
    count: 3,
    msg: 'Certificate issued, 100%d',
  });
});

test('lines below the level are not written', () => {
  const { log, lines } = capture({ level: 'warn' });
  log.debug('a');
  log.info({ b: 1 }, 'b');
  log.warn('c');
  log.error('d');
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['c', 'd']);
});

test('a child adds its fields, and the nearest value counts', () => {
  const { log, lines } = capture();
  log.child({ controller: 'issuers', name: 'a' }).child({ name: 'b' }).info({ n: 1 }, 'm');
  expect(only(lines)).toMatchObject({ controller: 'issuers', name: 'b', n: 1 });
});

const SECRET = 'hunter2-hunter2';

test.each([
  'authorization',
  'Authorization',
  'proxy-authorization',
  'passphrase',
  'apiKey',
  'api_key',
  'API-KEY',
  'token',
  'access_token',
  'data',
  'stringData',
  'tls.key',
  'credentials',
  'password',
  'privateKey',
  'set-cookie',
])('the value of %s is never logged, at any depth or by a child', (name) => {
  const { log, lines } = capture();
  log.info({ [name]: SECRET }, 'flat');
  log.info({ a: { b: [{ [name]: SECRET }] } }, 'deep');
  log.info({ [name]: { inner: SECRET } }, 'object');
  log.child({ request: { headers: { [name]: SECRET } } }).info('child');
  expect(lines).toHaveLength(4);
  expect(lines.join('')).not.toContain(SECRET);
  expect(lines.join('')).toContain('[redacted]');
});

test('an error is logged with name, code, message, stack and causes, without its other properties', () => {
  const { log, lines } = capture();
  const cause = Object.assign(new Error('socket closed'), { code: 'ECONNRESET', body: SECRET });
  const error = Object.assign(new TerminalError('CA_REFUSED', 'The CA refused.', { cause }), {
    request: { passphrase: SECRET },
    response: SECRET,
  });
  log.error({ error }, 'Failed');
  const line = only(lines);
  expect(line).toMatchObject({
    error: {
      name: 'TerminalError',
      code: 'CA_REFUSED',
      message: 'The CA refused.',
      stack: expect.stringContaining('TerminalError: The CA refused.'),
      cause: { code: 'ECONNRESET', message: 'socket closed' },
    },
  });
  expect(lines[0]).not.toContain(SECRET);
});

test('private keys and bearer tokens inside texts are removed', () => {
  const { log, lines } = capture();
  const pem = `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`;
  log.info({ text: `before ${pem} after` }, `Sent Bearer ${SECRET}`);
  log.error({ error: new Error(`bad key: -----BEGIN PRIVATE KEY-----\n${SECRET}`) }, 'Failed');
  expect(lines.join('')).not.toContain(SECRET);
  expect(lines[0]).toContain('before [redacted] after');
});

test('bytes, cycles, long lists and huge texts are cut', () => {
  const { log, lines } = capture();
  const cycle: Record<string, unknown> = { name: 'loop' };
  cycle['self'] = cycle;
  const many = Array.from({ length: 10_000 }, (_, i) => i);
  log.info({ bytes: Buffer.from(SECRET), cycle, many, text: 'x'.repeat(1e6), big: 10n }, 'Large');
  const line = only(lines);
  expect(line['bytes']).toBe(`[${SECRET.length} bytes]`);
  expect(line['big']).toBe('10');
  expect(lines[0]?.length).toBeLessThan(10_000);
});

test('no field can break a line, and every line is one JSON object', () => {
  const fields = fc.dictionary(
    fc.string(),
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
  );
  fc.assert(
    fc.property(fields, fc.string(), (value, message) => {
      const { log, lines } = capture();
      log.info(value, message);
      expect(lines).toHaveLength(1);
      expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
      expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow();
    }),
  );
});

test('a text line has time, level, message and fields, then the stack', () => {
  const { log, lines } = capture({ format: 'text' });
  log.info({ name: 'web', note: 'two words', n: 1, list: ['a'] }, 'Issued');
  expect(lines).toEqual(['2026-01-02T03:04:05.678Z INFO  Issued name=web note="two words" n=1 list=["a"]\n']);
});

test('a text line summarizes an error by code and causes', () => {
  const { log, lines } = capture({ format: 'text' });
  const cause = new Error('socket closed');
  log.error({ error: new TerminalError('CA_DOWN', 'No answer.', { cause }), passphrase: SECRET }, 'Failed');
  const [head, ...stack] = (lines[0] ?? '').split('\n');
  expect(head).toBe(
    '2026-01-02T03:04:05.678Z ERROR Failed error="CA_DOWN: No answer.: socket closed" passphrase=[redacted]',
  );
  expect(stack[0]).toBe('    TerminalError: No answer.');
});

test('a text line cannot be forged by its content', () => {
  const { log, lines } = capture({ format: 'text' });
  log.info({ name: 'a\n2026 INFO forged', escape: '\u001B[2J' }, 'Line\r\nERROR forged');
  expect(lines[0]?.trimEnd().split('\n')).toHaveLength(1);
  expect(lines[0]).not.toContain('\u001B');
});

test('the silent log and its children write nothing', () => {
  expect(() => silentLog.child({ a: 1 }).error({ b: 2 }, 'nothing')).not.toThrow();
});
