/** The command line of the CAcert server: what the flags mean, and which are refused with what reason. */
import { parseArgs } from 'node:util';
import { checkedFlag, choice, count, faultsOf, given, latencyOf, port, span } from '../cli-values.ts';
import { madeUpPassword } from './members.ts';
import { fault, memberPreset, runtimeOptions } from './schemas.ts';
import { defaultSettings, withOptions } from './settings.ts';
import type { CAcertMemberPreset, CAcertServerOptions } from './types.ts';

export const CACERT_HELP = `Usage: npm run dev-server -- --cacert [options]

Runs a server on this machine that speaks CAcert's certificate API (ccsr.php and cemails.php), for development, tests
and demos. Its authorities are made anew at each start and trusted by nobody.

Where
  --port PORT              port of the site on 127.0.0.1 (any free one)
  --control-port PORT      port of the control URL, CRLs and OCSP (any free one)
  --http                   plain HTTP instead of HTTPS
  --host NAME              Host header that is answered; all others are sent to the front page; may be repeated
                           (127.0.0.1 and localhost, with the port)
  --ca-file FILE           where to write the PEM of class 1 root and class 3 intermediate (a temporary file)

Member
  --username EMAIL         the primary address (dev@example.com)
  --password TEXT          the pass phrase (made up)
  --name "FIRST LAST"      the name; with three words the second is a middle name ("Dev Example")
  --suffix TEXT            what stands behind the name, such as Jr. (nothing)
  --points N               assurance points: 50 for a name, 100 for code signing (100)
  --email EMAIL            a verified address; may be repeated (the username, and dev@example.org for the default one)
  --code-signing           code signing is granted

Certificates
  --validity SPAN          lifetime of a certificate, from 1s on (730d with 50 points, else 180d)
  --class3                 sign with the class 3 intermediate instead of the class 1 root

Behaviour
  --wait SPAN              how long ccsr.php waits before it looks for the certificate (0ms; 10s at the real one)
  --signing SPAN           how long the signer takes; longer than --wait gives "has failed. ID: N", signed later (0ms)
  --latency SPAN[-SPAN]    waiting time before each call acts, fixed or between two (0ms)
  --database CHARSET       how names are stored: utf8, latin1 (utf8)
  --faults FILE            JSON list of faults from the start

Output
  --json                   print one line of JSON when ready
  --help                   print this

A SPAN is a number with a unit: 500ms, 30s, 15m, 1h, 365d.
`;

export type CAcertCommandLine =
  | { kind: 'help' }
  | { kind: 'refused'; reason: string }
  | { kind: 'run'; json: boolean; options: CAcertServerOptions };

const FLAGS = {
  cacert: { type: 'boolean' },
  port: { type: 'string' },
  'control-port': { type: 'string' },
  http: { type: 'boolean' },
  host: { type: 'string', multiple: true },
  'ca-file': { type: 'string' },
  username: { type: 'string' },
  password: { type: 'string' },
  name: { type: 'string' },
  suffix: { type: 'string' },
  points: { type: 'string' },
  email: { type: 'string', multiple: true },
  'code-signing': { type: 'boolean' },
  validity: { type: 'string' },
  class3: { type: 'boolean' },
  wait: { type: 'string' },
  signing: { type: 'string' },
  latency: { type: 'string' },
  database: { type: 'string' },
  faults: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Reads the arguments after the program's name. Rejects for nothing: what is wrong is in the result. */
export async function readCAcertCommandLine(args: string[]): Promise<CAcertCommandLine> {
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

async function optionsOf(values: Values): Promise<CAcertServerOptions> {
  const runtime = checkedFlag('The options', runtimeOptions, {
    ...span('validity', values.validity),
    ...span('wait', values.wait),
    ...span('signing', values.signing),
    ...(values.latency === undefined ? {} : { latency: latencyOf(values.latency) }),
    ...choice('database', '--database', values.database, ['utf8', 'latin1']),
    ...(values.class3 ? { class3: true } : {}),
    ...(values.host === undefined ? {} : { hosts: values.host }),
  });
  const { listening: _, ...rest } = runtime;
  withOptions(defaultSettings(), rest);
  return {
    ...rest,
    ...port('port', '--port', values.port),
    ...port('controlPort', '--control-port', values['control-port']),
    ...(values.http ? { protocol: 'http' as const } : {}),
    ...given('caFile', values['ca-file']),
    ...(isAnyOfMember(values) ? { members: [memberOfFlags(values)] } : {}),
    ...(values.faults === undefined ? {} : { faults: await faultsOf(fault, values.faults) }),
  };
}

function isAnyOfMember(values: Values): boolean {
  const { username, password, name, suffix, points, email } = values;
  return [username, password, name, suffix, points, email, values['code-signing']].some(
    (value) => value !== undefined,
  );
}

function memberOfFlags(values: Values): CAcertMemberPreset {
  const words = (values.name ?? 'Dev Example').trim().split(/\s+/);
  const [firstName = '', second = '', third] = words;
  if (words.length < 2 || words.length > 3) {
    throw new RangeError(`--name: "${values.name}" is not a name of two or three words`);
  }
  return checkedFlag('The member', memberPreset, {
    username: values.username ?? 'dev@example.com',
    password: values.password ?? madeUpPassword(),
    firstName,
    ...(third === undefined ? {} : { middleName: second }),
    lastName: third ?? second,
    ...given('suffix', values.suffix),
    ...count('points', '--points', values.points),
    ...(values['code-signing'] ? { codeSigning: true } : {}),
    ...(values.email === undefined ? {} : { emails: values.email }),
  });
}
