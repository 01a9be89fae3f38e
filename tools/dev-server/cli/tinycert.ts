/** The command line of the TinyCert server. */
import { z } from 'zod';
import { authorityPreset, checked, fault, runtimeOptions } from '../schemas.ts';
import { defaultSettings, withOptions } from '../settings.ts';
import type { AuthorityPreset, DevServerOptions } from '../types.ts';
import {
  type CommandLine,
  flag,
  helpText,
  option,
  OUTPUT,
  readCommandLine,
  repeated,
  type Table,
  type Values,
} from './command-line.ts';
import { address, checkedRuntime, choice, count, faultsOf, port, span, spanOrRange, text } from './values.ts';

const WHERE = {
  host: option(
    'ADDRESS',
    'IPv4 address of the API (127.0.0.1); everybody who reaches it can use it',
    address,
  ),
  port: option('PORT', 'port of the API (any free one)', port),
  controlPort: option('PORT', 'port of the control URL, CRLs and CA certificates (any free one)', port),
  protocol: { flag: 'http', help: 'plain HTTP instead of HTTPS', read: () => 'http' as const },
  caFile: option('FILE', 'where to write the PEM that clients must trust (a temporary file)', text),
  stateFile: {
    ...option(
      'FILE',
      'keep accounts, authorities and certificates in this JSON file; it holds private keys',
      text,
    ),
    flag: 'state',
  },
} satisfies Table;

const ACCOUNT = {
  email: option(
    'EMAIL',
    "e-mail, passphrase and API key of the account (made up, or the state file's)",
    (given) => checked(z.email(), given),
  ),
  passphrase: option('TEXT', '', text),
  apiKey: option('TEXT', '', text),
  authorities: {
    ...repeated(
      '"O:C[:sha1]"',
      'an authority of this organization and country that exists at the start;\nmay be repeated ("Example Org:US")',
      presetOf,
    ),
    flag: 'authority',
  },
} satisfies Table;

const CERTIFICATES = {
  validity: option('SPAN', 'lifetime of a certificate, from 1s on (365d)', span),
  caValidity: option('SPAN', 'lifetime of an authority (3650d)', span),
  keyPool: option('N', 'make N key pairs ahead (0)', count),
  keyPoolReuse: flag("hand the pool's keys out round and round: certificates share keys"),
  otherCustomers: option(
    'N',
    'another customer takes an id before every n-th certificate; 0 for never (3)',
    count,
  ),
} satisfies Table;

const BEHAVIOUR = {
  latency: option(
    'SPAN[-SPAN]',
    'waiting time before each call acts, fixed or between two (0ms)',
    spanOrRange,
  ),
  rateLimit: option('N', 'certificates and authorities that may be made per minute (no limit)', count),
  retryAfter: option('SECONDS', 'send Retry-After when the limit is reached (not sent)', count),
  sessionTtl: option('SPAN', 'life of a session (1h)', span),
  strictSignature: option(
    'RULE',
    "raw: the digest must cover the received bytes; php: PHP's rewriting of them (either)",
    choice('raw', 'php', 'either'),
  ),
  emptyFields: option(
    'HOW',
    'parts of a name that were not given are shown as: empty, null, absent (empty)',
    choice('null', 'empty', 'absent'),
  ),
  successBody: option('TEXT', 'body of the calls that only succeed ({})', text),
  faults: option('FILE', 'JSON list of faults from the start', faultsOf(fault)),
} satisfies Table;

const TABLE = { ...WHERE, ...ACCOUNT, ...CERTIFICATES, ...BEHAVIOUR };

export const HELP = helpText(
  `Usage: npm run dev-server -- [options]

Runs a server on this machine that speaks the TinyCert API, for development, tests and demos.
With --cacert as an option it is CAcert's API instead, with options of its own: see --cacert --help.`,
  { Where: WHERE, Account: ACCOUNT, Certificates: CERTIFICATES, Behaviour: BEHAVIOUR, Output: OUTPUT },
);

/** Reads the arguments after the program's name. */
export function readTinyCertCommandLine(args: readonly string[]): Promise<CommandLine<DevServerOptions>> {
  return readCommandLine(args, TABLE, optionsOf);
}

function optionsOf(values: Values<typeof TABLE>): DevServerOptions {
  withOptions(defaultSettings(), checkedRuntime(runtimeOptions, values));
  if (values.keyPoolReuse && !values.keyPool) {
    throw new RangeError('--key-pool-reuse needs a pool: give --key-pool too');
  }
  return values;
}

/** `ACME, Inc.:US`, or with `:sha1` after it. The organization may hold colons. */
function presetOf(value: string): AuthorityPreset {
  const [, plain = '', hashMethod] = /^(.*?)(?::(sha1|sha256))?$/.exec(value) ?? [];
  const colon = plain.lastIndexOf(':');
  if (colon < 1) throw new RangeError(`"${value}" is not of the form "Organization:US"`);
  const preset = {
    organization: plain.slice(0, colon),
    country: plain.slice(colon + 1),
    ...(hashMethod === undefined ? {} : { hashMethod }),
  };
  return checked(authorityPreset, preset);
}
