import { expect } from 'vitest';
import type { CertificateSpec } from '../../../src/api/tinycert/certificate-spec.ts';
import { certificates, issuers } from '../../../src/api/kinds.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import type { Settings } from '../../../src/operator/flags.ts';
import type { Fault } from '../../../tools/dev-server/types.ts';
import type { LogLine, TestOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { type Tally, type World, aWorld } from './world.ts';

/** Something is wrong from the start, and the certificate `web` is wanted. */
export interface Scenario {
  setUp: (world: World) => Promise<unknown>;
  settings?: () => Partial<Settings>;
  faults?: Fault[];
}

/** The final state, and what it cost. */
export interface Outcome extends Tally {
  /** The conditions of the issuer `ca`; empty if there is none. */
  issuer: string[];
  /** The conditions of the certificate `web`. */
  certificate: string[];
}

/** A scenario after an operator worked on it for ten minutes. */
export interface Endured {
  world: World;
  operator: TestOperator;
  outcome: Outcome;
}

/** Lets an operator work on a scenario for ten minutes. Whatever the input, the operator must log no warning or error. */
export async function endure(
  stage: Stage,
  { setUp, settings, faults = [] }: Scenario,
  ms = 600_000,
): Promise<Endured> {
  const world = await aWorld(stage);
  for (const fault of faults) stage.dev.addFault(fault);
  await setUp(world);
  await world.certificate('web');
  const operator = await world.operator(settings?.());
  await world.pass(ms);
  expect(complaints(operator)).toEqual([]);
  const outcome = {
    issuer: await world.says(issuers, 'ca').catch(nothingIfAbsent),
    certificate: await world.says(certificates, 'web'),
    calls: world.calls(),
    writes: operator.traffic.writes(),
  };
  return { world, operator, outcome };
}

/**
 * The warnings and errors in an operator's log. Watches that run over their time do not count: the API server's clock does not
 * skip, so it does not end them in time.
 */
export function complaints({ log }: TestOperator): LogLine[] {
  return log.filter(({ level, during }) => (level === 'warn' || level === 'error') && during !== 'watch');
}

/**
 * How often the status of an issuer is written when it becomes ready. What the first inventory found comes with the first report,
 * or after it if the journal was taken over later than the account was checked.
 */
export const ONCE_READY = expect.toBeOneOf([1, 2]) as number;

/** Both conditions of a certificate that cannot be issued. */
export function unmet(reason: string, message: string): string[] {
  return [`Ready=False ${reason}: ${message}`, `Issuing=False ${reason}: ${message}`];
}

function nothingIfAbsent(error: unknown): string[] {
  if (error instanceof ApiError && error.status === 404) return [];
  throw error;
}

/** A certificate `web` that is Ready, and its operator at rest. */
export interface Issued {
  world: World;
  operator: TestOperator;
  id: number;
}

/** A certificate `web` that was just issued for `validity`. */
export async function issued(
  stage: Stage,
  validity: string,
  spec: Partial<CertificateSpec> = {},
): Promise<Issued> {
  await stage.dev.setOptions({ validity });
  return issuedAsIs(stage, spec);
}

/** A certificate `web` that was just issued, with the CA's present lifetime. */
export async function issuedAsIs(
  stage: Stage,
  spec: Partial<Record<keyof CertificateSpec, unknown>>,
): Promise<Issued> {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('web', spec);
  const { status } = await world.ready('web');
  await world.settled();
  return { world, operator, id: status?.certificateId ?? 0 };
}

/** What an operator has asked the CA for, and why, in order; without what a recovery led to. */
export function requested({ log }: TestOperator): { operation: unknown; reason: unknown }[] {
  return log
    .filter(({ msg }) => msg === 'Requesting a certificate')
    .map(({ operation, reason }) => ({ operation, reason }));
}

/** A certificate's status at the CA. */
export function statusAtCa({ dev }: Stage, id: number | undefined): string | undefined {
  return dev.certificates().find((certificate) => certificate.id === id)?.status;
}
