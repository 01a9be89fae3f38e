/** The command line: what the flags mean, and which are refused with what reason. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { checkedFlag, choice, count, faultsOf, given, latencyOf, port, span } from './cli-values.ts';
import { authorityPreset, fault, runtimeOptions } from './schemas.ts';
import { defaultSettings, withOptions } from './settings.ts';
import type { AuthorityPreset, DevServerOptions } from './types.ts';

export const HELP = `Usage: npm run dev-server -- [options]

Runs a server on this machine that speaks the TinyCert API, for development, tests and demos.
With --cacert as an option it is CAcert's API instead, with options of its own: see --cacert --help.

Where
  --port PORT              port of the API on 127.0.0.1 (any free one)
  --control-port PORT      port of the control URL, CRLs and CA certificates (any free one)
  --http                   plain HTTP instead of HTTPS
  --ca-file FILE           where to write the PEM that clients must trust (a temporary file)
  --state FILE             keep accounts, authorities and certificates in this JSON file; it holds private keys

Account
  --email EMAIL            e-mail, passphrase and API key of the account (made up, or the state file's)
  --passphrase TEXT
  --api-key TEXT
  --authority "O:C[:sha1]" an authority of this organization and country that exists at the start;
                           may be repeated ("Example Org:US")

Certificates
  --validity SPAN          lifetime of a certificate, from 1s on (365d)
  --ca-validity SPAN       lifetime of an authority (3650d)
  --key-pool N             make N key pairs ahead (0)
  --key-pool-reuse         hand the pool's keys out round and round: certificates share keys
  --other-customers N      another customer takes an id before every n-th certificate; 0 for never (3)

Behaviour
  --latency SPAN[-SPAN]    waiting time before each call acts, fixed or between two (0ms)
  --rate-limit N           certificates and authorities that may be made per minute (no limit)
  --retry-after SECONDS    send Retry-After when the limit is reached (not sent)
  --session-ttl SPAN       life of a session (1h)
  --strict-signature RULE  raw: the digest must cover the received bytes; php: PHP's rewriting of them (either)
  --empty-fields HOW       parts of a name that were not given are shown as: empty, null, absent (empty)
  --success-body TEXT      body of the calls that only succeed ({})
  --faults FILE            JSON list of faults from the start

Output
  --json                   print one line of JSON when ready
  --help                   print this

A SPAN is a number with a unit: 500ms, 30s, 15m, 1h, 365d.
`;

export type CommandLine =
  | { kind: 'help' }
  | { kind: 'refused'; reason: string }
  | { kind: 'run'; json: boolean; options: DevServerOptions };

const FLAGS = {
  port: { type: 'string' },
  'control-port': { type: 'string' },
  http: { type: 'boolean' },
  'ca-file': { type: 'string' },
  state: { type: 'string' },
  email: { type: 'string' },
  passphrase: { type: 'string' },
  'api-key': { type: 'string' },
  authority: { type: 'string', multiple: true },
  validity: { type: 'string' },
  'ca-validity': { type: 'string' },
  'key-pool': { type: 'string' },
  'key-pool-reuse': { type: 'boolean' },
  'other-customers': { type: 'string' },
  latency: { type: 'string' },
  'rate-limit': { type: 'string' },
  'retry-after': { type: 'string' },
  'session-ttl': { type: 'string' },
  'strict-signature': { type: 'string' },
  'empty-fields': { type: 'string' },
  'success-body': { type: 'string' },
  faults: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Reads the arguments after the program's name. Rejects for nothing: what is wrong is in the result. */
export async function readCommandLine(args: string[]): Promise<CommandLine> {
  try {
    const { values } = parseArgs({ args, options: FLAGS });
    if (values.help) return { kind: 'help' };
    return { kind: 'run', json: values.json ?? false, options: await optionsOf(values) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      return { kind: 'refused', reason: error.message };
    }
    throw error;
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

async function optionsOf(values: Values): Promise<DevServerOptions> {
  const runtime = checkedFlag('The options', runtimeOptions, {
    ...span('validity', values.validity),
    ...span('caValidity', values['ca-validity'], '--ca-validity'),
    ...span('sessionTtl', values['session-ttl'], '--session-ttl'),
    ...(values.latency === undefined ? {} : { latency: latencyOf(values.latency) }),
    ...count('rateLimit', '--rate-limit', values['rate-limit']),
    ...count('retryAfter', '--retry-after', values['retry-after']),
    ...count('otherCustomers', '--other-customers', values['other-customers']),
    ...choice('strictSignature', '--strict-signature', values['strict-signature'], ['raw', 'php', 'either']),
    ...choice('emptyFields', '--empty-fields', values['empty-fields'], ['null', 'empty', 'absent']),
    ...given('successBody', values['success-body']),
    ...given('passphrase', values.passphrase),
    ...given('apiKey', values['api-key']),
  });
  const { listening: _, ...rest } = runtime;
  withOptions(defaultSettings(), rest);
  if (values['key-pool-reuse'] && !Number(values['key-pool'])) {
    throw new RangeError('--key-pool-reuse needs a pool: give --key-pool too');
  }
  return {
    ...rest,
    ...port('port', '--port', values.port),
    ...port('controlPort', '--control-port', values['control-port']),
    ...(values.http ? { protocol: 'http' as const } : {}),
    ...given('caFile', values['ca-file']),
    ...given('stateFile', values.state),
    ...(values.email === undefined ? {} : { email: checkedFlag('--email', z.email(), values.email) }),
    ...(values.authority === undefined ? {} : { authorities: values.authority.map(presetOf) }),
    ...count('keyPool', '--key-pool', values['key-pool']),
    ...(values['key-pool-reuse'] ? { keyPoolReuse: true } : {}),
    ...(values.faults === undefined ? {} : { faults: await faultsOf(fault, values.faults) }),
  };
}

/** `ACME, Inc.:US`, or with `:sha1` after it. The organization may hold colons. */
function presetOf(value: string): AuthorityPreset {
  const [, plain = '', hashMethod] = /^(.*?)(?::(sha1|sha256))?$/.exec(value) ?? [];
  const colon = plain.lastIndexOf(':');
  if (colon < 1) throw new RangeError(`--authority: "${value}" is not of the form "Organization:US"`);
  const preset = {
    organization: plain.slice(0, colon),
    country: plain.slice(colon + 1),
    ...(hashMethod === undefined ? {} : { hashMethod }),
  };
  return checkedFlag('--authority', authorityPreset, preset);
}
