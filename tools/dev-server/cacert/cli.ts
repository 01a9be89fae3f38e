/** The command line of the CAcert server. */
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
} from '../cli/command-line.ts';
import {
  checkedAs,
  checkedRuntime,
  choice,
  count,
  faultsOf,
  port,
  span,
  spanOrRange,
  text,
} from '../cli/values.ts';
import { madeUpPassword } from './members.ts';
import { fault, memberPreset, runtimeOptions } from './schemas.ts';
import { defaultSettings, withOptions } from './settings.ts';
import type { CAcertMemberPreset, CAcertServerOptions } from './types.ts';

const WHERE = {
  port: option('PORT', 'port of the site on 127.0.0.1 (any free one)', port),
  controlPort: option('PORT', 'port of the control URL, CRLs and OCSP (any free one)', port),
  protocol: { flag: 'http', help: 'plain HTTP instead of HTTPS', read: () => 'http' as const },
  hosts: {
    ...repeated(
      'NAME',
      'Host header that is answered; all others are sent to the front page; may be repeated\n(127.0.0.1 and localhost, with the port)',
      text,
    ),
    flag: 'host',
  },
  caFile: option(
    'FILE',
    'where to write the PEM of class 1 root and class 3 intermediate (a temporary file)',
    text,
  ),
} satisfies Table;

const MEMBER = {
  username: option('EMAIL', 'the primary address (dev@example.com)', text),
  password: option('TEXT', 'the pass phrase (made up)', text),
  name: option(
    '"FIRST LAST"',
    'the name; with three words the second is a middle name ("Dev Example")',
    nameOf,
  ),
  suffix: option('TEXT', 'what stands behind the name, such as Jr. (nothing)', text),
  points: option('N', 'assurance points: 50 for a name, 100 for code signing (100)', count),
  emails: {
    ...repeated(
      'EMAIL',
      'a verified address; may be repeated (the username, and dev@example.org for the default one)',
      text,
    ),
    flag: 'email',
  },
  codeSigning: flag('code signing is granted'),
} satisfies Table;

const CERTIFICATES = {
  validity: option('SPAN', 'lifetime of a certificate, from 1s on (730d with 50 points, else 180d)', span),
  class3: flag('sign with the class 3 intermediate instead of the class 1 root'),
} satisfies Table;

const BEHAVIOUR = {
  wait: option(
    'SPAN',
    'how long ccsr.php waits before it looks for the certificate (0ms; 10s at the real one)',
    span,
  ),
  signing: option(
    'SPAN',
    'how long the signer takes; longer than --wait gives "has failed. ID: N", signed later (0ms)',
    span,
  ),
  latency: option(
    'SPAN[-SPAN]',
    'waiting time before each call acts, fixed or between two (0ms)',
    spanOrRange,
  ),
  database: option('CHARSET', 'how names are stored: utf8, latin1 (utf8)', choice('utf8', 'latin1')),
  faults: option('FILE', 'JSON list of faults from the start', faultsOf(fault)),
} satisfies Table;

const TABLE = {
  // main.ts has read it to choose this server.
  cacert: flag(),
  ...WHERE,
  ...MEMBER,
  ...CERTIFICATES,
  ...BEHAVIOUR,
};

export const CACERT_HELP = helpText(
  `Usage: npm run dev-server -- --cacert [options]

Runs a server on this machine that speaks CAcert's certificate API (ccsr.php and cemails.php), for development, tests
and demos. Its authorities are made anew at each start and trusted by nobody.`,
  { Where: WHERE, Member: MEMBER, Certificates: CERTIFICATES, Behaviour: BEHAVIOUR, Output: OUTPUT },
);

/** Reads the arguments after the program's name. */
export function readCAcertCommandLine(args: readonly string[]): Promise<CommandLine<CAcertServerOptions>> {
  return readCommandLine(args, TABLE, optionsOf);
}

function optionsOf(values: Values<typeof TABLE>): CAcertServerOptions {
  const { cacert: _, username, password, name, suffix, points, emails, codeSigning, ...options } = values;
  withOptions(defaultSettings(), checkedRuntime(runtimeOptions, options));
  const given = { username, password, ...name, suffix, points, emails, codeSigning };
  const ofMember = Object.entries(given).filter(([, value]) => value !== undefined);
  return ofMember.length === 0 ? options : { ...options, members: [memberOf(Object.fromEntries(ofMember))] };
}

function memberOf(given: Partial<CAcertMemberPreset>): CAcertMemberPreset {
  return checkedAs('The member', memberPreset, {
    username: 'dev@example.com',
    password: madeUpPassword(),
    ...(given.firstName === undefined ? nameOf('Dev Example') : {}),
    ...given,
  });
}

function nameOf(given: string): { firstName: string; middleName?: string; lastName: string } {
  const words = given.trim().split(/\s+/);
  const [firstName = '', second = '', third] = words;
  if (words.length < 2 || words.length > 3) {
    throw new RangeError(`"${given}" is not a name of two or three words`);
  }
  return third === undefined
    ? { firstName, lastName: second }
    : { firstName, middleName: second, lastName: third };
}
