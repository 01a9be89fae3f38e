import type { StepCount } from './herd.ts';
import type { MailVerdict } from './cacert/verdict.ts';
import type { Verdict } from './witness/verdict.ts';

/** The result of a run. */
export interface Result {
  seed: number;
  kills: number;
  /** Faults at the CA that struck, and deeds of people, tenants and the cluster. */
  faults: number;
  /** Certificates that operators bought. */
  certificates: number;
  /** Requests that CAcert accepted. */
  cacertRequests: number;
  lost: number;
  doubled: number;
  wrongOwner: number;
  orphansWitnessed: number;
  orphansReported: number;
  foreignTouched: number;
  undone: number;
  invalidSecretVersions: number;
  secretRegressions: number;
  stuck: number;
  steps: Record<string, StepCount>;
  /** Every finding, as a sentence. */
  findings: string[];
}

interface Outcome {
  seed: number;
  kills: number;
  faults: number;
  verdict: Verdict;
  mail: MailVerdict;
  stuck: string[];
  steps: ReadonlyMap<string, StepCount>;
  /** Steps at which a process must be killed and one frozen. */
  covered: readonly string[];
}

export function resultOf({ seed, kills, faults, verdict, mail, stuck, steps, covered }: Outcome): Result {
  const { orphansWitnessed, orphansReported } = verdict;
  const unreported = orphansWitnessed.filter((id) => !orphansReported.includes(id));
  const unwitnessed = orphansReported.filter((id) => !orphansWitnessed.includes(id));
  return {
    seed,
    kills,
    faults,
    certificates: verdict.certificates,
    cacertRequests: mail.requests,
    lost: verdict.lost.length + mail.lost.length,
    doubled: verdict.doubled.length + mail.doubled.length,
    wrongOwner: verdict.wrongOwner.length + mail.wrongOwner.length,
    orphansWitnessed: orphansWitnessed.length,
    orphansReported: orphansReported.length,
    foreignTouched: verdict.foreignTouched.length,
    undone: verdict.undone.length,
    invalidSecretVersions: verdict.invalidSecretVersions.length + mail.invalid.length,
    secretRegressions: verdict.secretRegressions.length,
    stuck: stuck.length,
    steps: Object.fromEntries([...steps].sort(([a], [b]) => (a < b ? -1 : 1))),
    findings: [
      ...named('lost', verdict.lost),
      ...named('doubled', verdict.doubled),
      ...named('wrongOwner', verdict.wrongOwner),
      ...named('foreignTouched', verdict.foreignTouched),
      ...named('undone', verdict.undone),
      ...named('invalidSecretVersions', verdict.invalidSecretVersions),
      ...named('secretRegressions', verdict.secretRegressions),
      ...named('CAcert, lost', mail.lost),
      ...named('CAcert, doubled', mail.doubled),
      ...named('CAcert, wrongOwner', mail.wrongOwner),
      ...named('CAcert, invalidSecretVersions', mail.invalid),
      ...named('stuck', stuck),
      ...named('orphans', verdict.decidable),
      ...named(
        'steps',
        covered.flatMap((step) => missed(step, steps.get(step))),
      ),
      ...named(
        'orphans',
        unreported.map((id) => `${id} is an orphan that is not reported`),
      ),
      ...named(
        'orphans',
        unwitnessed.map((id) => `${id} is reported and is no orphan`),
      ),
    ],
  };
}

/** One line for programs. */
export function jsonOf(result: Result): string {
  return JSON.stringify({ ...result, findings: undefined });
}

const MEANING: readonly [Exclude<keyof Result, 'seed' | 'steps' | 'findings'>, string][] = [
  ['certificates', 'bought by operators'],
  ['cacertRequests', 'requests that CAcert accepted'],
  ['kills', 'of operator processes'],
  ['faults', 'of CA, cluster, people and tenants'],
  ['lost', 'bought, claimed by no resource and reported nowhere; must be 0'],
  ['doubled', 'bought again although the first purchase could be found; must be 0'],
  ['wrongOwner', 'versions of a Secret with somebody else’s key; must be 0'],
  ['orphansWitnessed', 'bought for an unknown owner, by the witnesses'],
  ['orphansReported', 'the same, by the issuers’ status; must be the same certificates'],
  ['foreignTouched', 'calls that change certificates of people or others; must be 0'],
  ['undone', 'holds and revocations that were due and never done; must be 0'],
  ['invalidSecretVersions', 'versions of a Secret that cannot be served; must be 0'],
  ['secretRegressions', 'versions of a Secret that went back to an older certificate; must be 0'],
  ['stuck', 'resources that did not become Ready; must be 0'],
];

/** A table for people. */
export function tableOf(result: Result): string {
  const rows = MEANING.map(
    ([field, meaning]) => `${field.padEnd(22)}${String(result[field]).padStart(6)}  ${meaning}`,
  );
  const steps = Object.entries(result.steps).map(
    ([step, { hits, kills, stops }]) =>
      `  ${step.padEnd(12)}${[hits, kills, stops].map((n) => String(n).padStart(7)).join('')}`,
  );
  return [`seed ${result.seed}`, ...rows, '', '  step           hits  kills frozen', ...steps].join('\n');
}

function missed(step: string, count: StepCount | undefined): string[] {
  const { kills = 0, stops = 0 } = count ?? {};
  return [
    ...(kills === 0 ? [`no process was killed at ${step}`] : []),
    ...(stops === 0 ? [`no process was frozen at ${step}`] : []),
  ];
}

function named(kind: string, findings: readonly string[]): string[] {
  return findings.map((finding) => `${kind}: ${finding}`);
}
