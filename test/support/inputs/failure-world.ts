import type { TinyCertCertificate } from '../../../src/api/kinds.ts';
import type { CertificateRef } from '../../../src/api/tinycert/identity.ts';
import { OpenAttempts } from '../../../src/issuance/attempt/open-attempts.ts';
import { conditionOf } from '../../../src/issuance/status/conditions.ts';
import { LastWritten } from '../../../src/issuance/status/last-written.ts';
import { RateLimiter } from '../../../src/issuance/status/rate-limit.ts';
import { StatusWriter } from '../../../src/issuance/status/writer.ts';
import { type Attempt, attemptOwner, type OpenAttempt } from '../../../src/issuance/tinycert/attempt.ts';
import { tinycertKind } from '../../../src/issuance/tinycert/kind.ts';
import { sealOf } from '../../../src/issuance/tinycert/seal.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { attemptAt } from '../../../src/tinycert-certificates/context/attempts.ts';
import type { Inputs } from '../../../src/tinycert-certificates/context/inputs.ts';
import type { Work } from '../../../src/tinycert-certificates/context/work.ts';
import type { JournalApi } from '../kube/journal-api.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { account, attempt, certificate, inputs } from './inputs.ts';
import { tinycertView } from './tinycert-view.ts';

/** What the handling of a failure did to the world around it. */
export interface World {
  clock: VirtualClock;
  work: Work;
  /** The attempt in the journal. */
  open: OpenAttempt;
  journal: JournalApi;
  /** Status writes, as patches. */
  writes: TinyCertCertificate[];
  /** What the account's gate and the directory were told, and what was warned of. */
  told: string[];
}

/** `asked`: how the attempt in the journal differs from that of the builders. */
export async function aWorld(
  given: Partial<Inputs> & {
    status?: TinyCertCertificate['status'];
    ca?: object;
    asked?: Partial<Attempt>;
  } = {},
): Promise<World> {
  const { status = {}, ca: _, asked, ...rest } = given;
  const clock = new VirtualClock();
  const sealer = {
    sealCodes: ({ length }: string) => ({ installation: `of ${length}`, apiKey: `and ${length}` }),
  };
  const resource = certificate({ status: { ...status, seal: sealOf(sealer, 'uid', status) } });
  const writes: TinyCertCertificate[] = [];
  const told: string[] = [];
  const kube = {
    mergePatch: (_: unknown, __: unknown, patch: TinyCertCertificate) => {
      writes.push(patch);
      return Promise.resolve({ ...resource, status: { ...resource.status, ...patch.status } });
    },
  } as unknown as KubeClient;
  const crds = { fit: true, check: () => Promise.resolve() };
  const written = new LastWritten<TinyCertCertificate>({ clock });
  const ca = {
    ...sealer,
    client: given.ca,
    digest: account,
    gate: {
      failed: (_: string, epoch: number, { reason }: { reason: string }) =>
        told.push(`failed ${epoch} ${reason}`),
      limited: (ms: number | undefined) => told.push(`limited ${ms}`),
      park: (_: object, afterMs?: number) => told.push(`park ${afterMs ?? 0}`),
    },
  };
  const issuer = {
    key: 'k',
    account: ca,
    authority: { id: 1, name: 'Example' },
  } as unknown as Work['issuer'];
  const { view, api: journal } = tinycertView(clock);
  const deps = {
    clock,
    timing: tinycertKind.timing,
    attempts: new OpenAttempts<CertificateRef>(),
    repairLimiter: new RateLimiter(clock),
    metrics: { issuances: { inc: ({ outcome }: { outcome: string }) => told.push(`counted ${outcome}`) } },
    warn: (_: object, reason: string) => told.push(`warned ${reason}`),
    wake: () => undefined,
    directory: {
      get: () => ({ ready: false }),
      fault: (_: object, { reason }: { reason: string }) => told.push(`issuer faulted ${reason}`),
    },
    statuses: new StatusWriter({ kube, clock, kind: tinycertKind, crds, written }),
  } as unknown as Work['deps'];
  await view.open({
    owner: attemptOwner('uid', account),
    group: 'me',
    make: () => ({ ...attempt, ...asked }),
  });
  const { attempt: open } = attemptAt(deps, view, resource, account, false);
  if (!open) throw new Error('The journal has no room.');
  const all = inputs({ secret: { state: 'absent' }, attempt: open, ...rest, certificate: resource });
  return {
    clock,
    work: { deps, inputs: all, issuer, view, signal: new AbortController().signal, log: {} as Work['log'] },
    open,
    journal,
    writes,
    told,
  };
}

/** The attempt that is open by now, and what this process knows of it. */
export function found({ work: { deps, view, inputs: all } }: World): OpenAttempt | undefined {
  return attemptAt(deps, view, all.certificate, account, false).attempt;
}

export function issuing({ writes }: World): string | undefined {
  const written = writes.at(-1)?.status?.conditions;
  const condition = conditionOf(written, 'Issuing');
  return condition && `${condition.status} ${condition.reason}`;
}
