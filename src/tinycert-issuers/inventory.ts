import type { Account } from '../account/tinycert-account.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import {
  type AuthorityRef,
  authorityKey,
  certificateKey,
  certificateOf,
  isSameAuthority,
  isSameCertificate,
} from '../api/tinycert/identity.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import { groupOf, placeHash } from '../issuance/tinycert/attempt.ts';
import {
  Census,
  Evidence,
  type Source,
  claimsIn,
  type Written,
  isClaimed,
  knownStatuses,
  unclaimed,
} from '../issuance/tinycert/inventory/census.ts';
import { type Facts, readFacts } from '../issuance/tinycert/inventory/facts.ts';
import type { LeftoverSecrets } from '../issuance/tinycert/inventory/leftover-secrets.ts';
import type { LossSigns } from '../issuance/tinycert/inventory/loss-signs.ts';
import { type Observations, observe } from '../issuance/tinycert/inventory/observations.ts';
import type { Found, Orphan } from '../issuance/tinycert/inventory/orphans.ts';
import {
  isOfAuthority,
  type IssuerDirectory,
  type KeyedIssuer,
  type ReadyIssuer,
} from '../issuance/tinycert/issuer-directory.ts';
import { installationMark } from '../issuance/tinycert/marker.ts';
import {
  recordsOf,
  released,
  type TinyCertJournal,
  type TinyCertView,
} from '../issuance/tinycert/records.ts';
import { TermOver } from '../journal/errors.ts';
import { keyOf } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { KeyedMutex } from '../lib/mutex.ts';
import type { CertificateSummary } from '../tinycert/index.ts';

export interface InventoryOptions {
  clock: Clock;
  directory: IssuerDirectory;
  /** All resources in their newest known version, and those that vanished and are not recorded yet. */
  resources: () => Iterable<TinyCertCertificate>;
  /** All issuers that the operator may read, as watched. */
  issuers: () => Iterable<KeyedIssuer>;
  /** All resources that the operator may read, live. */
  listCertificates: (signal: AbortSignal) => Promise<TinyCertCertificate[]>;
  journal: Pick<TinyCertJournal, 'view' | 'viewFor' | 'highest'>;
  leftoverSecrets: Pick<LeftoverSecrets, 'of'>;
  observations: Pick<Observations, 'replace'>;
  lossSigns: Pick<LossSigns, 'note' | 'covers' | 'cover'>;
}

/** The result of taking the list of one authority. */
interface Pass {
  /** When the list was taken: monotonic clock, milliseconds. */
  at: number;
  /** Key of the issuer whose check took it. */
  by: string;
  /** Set until the claims have been evaluated. */
  census: Census | undefined;
  counts: Found['counts'];
  foreignCount: number;
  /** By key of the issuer that shows them. */
  orphans: ReadonlyMap<string, Orphan[]>;
  /** Facts read from unclaimed certificates, by certificate id. */
  facts: Map<number, Facts>;
}

/**
 * How long the list that another issuer of the authority took is used, in milliseconds: a little less than the shortest
 * interval between checks.
 */
export const LIST_SHARED_MS = 11 * 60_000;
/** Most certificates read one by one in one pass. */
const MAX_READS = 200;

/**
 * The inventory of what authorities have issued: one list of each authority per interval, and then, in this order,
 * the claims of resources to what it contains. It changes nothing at the CA.
 */
export class Inventory {
  readonly #options: InventoryOptions;
  readonly #passes = new WeakMap<Account, Map<number, Pass>>();
  readonly #locks = new KeyedMutex();
  /** Keys of issuers for which the journal was not ready. */
  readonly #postponed = new Set<string>();

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  /**
   * Takes the list of an authority, unless another issuer did so recently, and notes its highest id. Rejects with a
   * `TinyCertError`.
   */
  list(account: Account, authority: AuthorityRef, issuerKey: string, signal: AbortSignal): Promise<void> {
    return this.#locks.run(
      authorityKey(authority),
      () => this.#list(account, authority, issuerKey, signal),
      signal,
    );
  }

  /**
   * Takes the list of an issuer's authority again, unless the last one has whatever was bought before `moment`, in milliseconds since
   * the epoch. Rejects with a `TinyCertError`.
   */
  listAgain({ account, authority, key }: ReadyIssuer, moment: number, signal: AbortSignal): Promise<void> {
    const { lossSigns } = this.#options;
    return this.#locks.run(
      authorityKey(authority),
      async () => {
        if (lossSigns.covers(authority, moment)) return;
        await this.#take(account, authority, key, signal);
        lossSigns.cover(authority, moment);
      },
      signal,
    );
  }

  /**
   * What an issuer should show of the last list; undefined if there is none, or while the journal is taken over. Rejects with a
   * `TinyCertError`, an `ApiError`, an `X509Error` or a `TermOver`.
   */
  found(issuer: ReadyIssuer, signal: AbortSignal): Promise<Found | undefined> {
    const { account, authority, key } = issuer;
    return this.#locks.run(
      authorityKey(authority),
      async () => {
        const pass = this.#passes.get(account)?.get(authority.authorityId);
        if (!pass) return undefined;
        if (pass.census) {
          // The issuer is woken when the journal is ready.
          this.#postponed.add(key);
          const view = this.#options.journal.viewFor(key);
          if (!view) return undefined;
          await this.#evaluate(issuer, pass, pass.census, view, signal).catch((error: unknown) => {
            if (!(error instanceof TermOver)) this.#postponed.delete(key);
            throw error;
          });
        }
        this.#postponed.delete(key);
        const { counts, foreignCount, orphans } = pass;
        return { counts, foreignCount, orphans: orphans.get(key) ?? [] };
      },
      signal,
    );
  }

  /** Whether an issuer waits for the journal with what it has to show of the last list. */
  isPostponed(issuerKey: string): boolean {
    return this.#postponed.has(issuerKey);
  }

  /** The issuer is gone. */
  forget(issuerKey: string): void {
    this.#postponed.delete(issuerKey);
  }

  async #list(account: Account, authority: AuthorityRef, by: string, signal: AbortSignal): Promise<void> {
    const before = this.#passes.get(account)?.get(authority.authorityId);
    const at = this.#options.clock.monotonic();
    if (before && before.by !== by && at - before.at < LIST_SHARED_MS) return;
    await this.#take(account, authority, by, signal);
  }

  async #take(account: Account, authority: AuthorityRef, by: string, signal: AbortSignal): Promise<void> {
    const { authorityId } = authority;
    const { clock, observations, resources, lossSigns } = this.#options;
    const passes = this.#passes.get(account) ?? new Map<number, Pass>();
    this.#passes.set(account, passes);
    const before = passes.get(authorityId);
    const [at, requested] = [clock.monotonic(), clock.now()];
    // What an earlier process saw counts too (`highestInJournal`).
    if (!before) account.noteId(authorityId, this.#options.journal.highest(authorityKey(authority)));
    const census = new Census(knownStatuses(resources(), authority));
    const ids = account.listIds(authorityId);
    await account.client.streamCertificates(
      authorityId,
      undefined,
      (line) => {
        ids.see(line.id);
        census.add(line);
      },
      { signal },
    );
    ids.end();
    const written = writtenIn(this.#options.journal.view, authority);
    const owners = new Set(written.attempts.map(({ resource }) => resource));
    const claims = claimsIn(resources(), written, authority, census.unlisted);
    const isOpen = (each: TinyCertCertificate): boolean => owners.has(placeHash(keyOf(each)));
    lossSigns.note(authority, requested, resources(), census.others);
    observations.replace(authority, observe(census, resources(), claims, authority, isOpen));
    passes.set(authorityId, {
      at,
      by,
      census,
      counts: census.counts,
      foreignCount: 0,
      orphans: new Map(),
      facts: before?.facts ?? new Map(),
    });
  }

  /** Evaluates the claims, after the list was taken, and sorts what is unclaimed into orphans and foreign certificates. */
  async #evaluate(
    issuer: ReadyIssuer,
    pass: Pass,
    census: Census,
    view: TinyCertView,
    signal: AbortSignal,
  ): Promise<void> {
    const { account, authority } = issuer;
    const sources = this.#sources(authority);
    const evidence = new Evidence(sources, recordsOf(view, authority));
    const lines = await this.#unexplained(issuer, census, evidence, view, signal);
    const facts = new Map<number, Facts>();
    const orphans: { line: CertificateSummary; key: string }[] = [];
    let foreignCount = 0;
    let reads = 0;
    for (const line of lines) {
      let known = pass.facts.get(line.id);
      let finding = evidence.of(line, known);
      const isToBeShown =
        typeof finding === 'object' && known === undefined && !isShown(sources, authority, line.id);
      if ((finding === 'needs facts' || isToBeShown) && reads < MAX_READS) {
        reads += 1;
        known = await readFacts(account, authority, line.id, { signal });
        finding = known ? evidence.of(line, known) : 'released';
      }
      if (known) facts.set(line.id, known);
      if (typeof finding === 'object') orphans.push({ line, key: finding.orphanOf });
      else if (finding !== 'released') foreignCount += 1;
    }
    const certain = await this.#confirmed(authority, census, sources, orphans, view, signal);
    const shown = new Map<string, Orphan[]>();
    const observedTime = rfc3339(this.#options.clock.now());
    for (const { line, key } of certain) {
      const orphan = { ...describe(authority, line, facts.get(line.id)), observedTime };
      shown.set(key, [...(shown.get(key) ?? []), orphan]);
    }
    pass.foreignCount = foreignCount;
    pass.orphans = shown;
    pass.facts = facts;
    pass.census = undefined;
  }

  /** Certificates that are neither claimed nor released, newest first. Those that a leftover Secret explains are recorded now. */
  async #unexplained(
    { account, authority, key }: ReadyIssuer,
    census: Census,
    evidence: Evidence,
    view: TinyCertView,
    signal: AbortSignal,
  ): Promise<CertificateSummary[]> {
    const { leftoverSecrets, resources } = this.#options;
    const lines = unclaimed(
      census.others,
      claimsIn(resources(), writtenIn(view, authority), authority, census.unlisted),
    )
      .filter((line) => evidence.of(line, undefined) !== 'released')
      .sort((a, b) => b.id - a.id);
    const named = lines.map(({ id }) => certificateOf(authority, id));
    const left = await leftoverSecrets.of(named, account, signal);
    const records = left.flatMap(({ certificate, issuerKey, namespace }) =>
      released(view, [certificate], {
        issuer: placeHash(issuerKey),
        cause: 'Deleted',
        group: groupOf(authority, namespace),
      }),
    );
    if (records.length > 0) await view.record(key, records);
    const explained = new Set(left.map(({ certificate }) => certificateKey(certificate)));
    return lines.filter(({ id }) => !explained.has(certificateKey(certificateOf(authority, id))));
  }

  /** The orphans that are unclaimed in a live list too, which is read before an orphan is reported for the first time. */
  async #confirmed<T extends { line: CertificateSummary }>(
    authority: AuthorityRef,
    census: Census,
    sources: readonly Source[],
    orphans: readonly T[],
    view: TinyCertView,
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    const { listCertificates, resources } = this.#options;
    if (orphans.every(({ line }) => isShown(sources, authority, line.id))) return orphans;
    const written = writtenIn(view, authority);
    const live = await listCertificates(signal);
    const claims = claimsIn([...live, ...resources()], written, authority, census.unlisted);
    const { released: all } = recordsOf(view, authority);
    const givenUp = new Set(
      all.filter(({ cause }) => cause !== 'Undecided').map(({ certificateId }) => certificateId),
    );
    return orphans.filter(({ line }) => !isClaimed(line, claims) && !givenUp.has(line.id));
  }

  /** The issuers of the authority. */
  #sources(authority: AuthorityRef): Source[] {
    const { issuers, directory } = this.#options;
    return [...issuers()]
      .filter((each) => isOfAuthority(directory, each, authority))
      .map(({ key, issuer: { metadata, spec, status = {} } }) => ({
        key,
        mark:
          spec.ownershipMarker === 'OrganizationalUnit' ? installationMark(metadata.uid ?? '') : undefined,
        orphans: (status.orphans ?? []).filter((each) => isSameAuthority(each, authority)),
      }));
  }
}

/** What the journal has of an authority, as far as it can be read. */
function writtenIn(view: TinyCertView | undefined, authority: AuthorityRef): Written {
  if (!view) return { attempts: [], released: [] };
  const attempts = [...view.entries()].flatMap(([, entry]) => (entry.is === 'open' ? [entry.entry] : []));
  return { attempts, released: recordsOf(view, authority).released };
}

function isShown(sources: readonly Source[], authority: AuthorityRef, id: number): boolean {
  const certificate = certificateOf(authority, id);
  return sources.some(({ orphans }) => orphans.some((each) => isSameCertificate(each, certificate)));
}

function describe(
  authority: AuthorityRef,
  { id, commonName, expires }: CertificateSummary,
  facts: Facts | undefined,
): Orphan {
  return {
    ...certificateOf(authority, id),
    commonName: commonName.slice(0, 256),
    ...(facts ? { serialNumber: facts.serialNumber } : {}),
    notAfter: rfc3339(facts?.notAfter ?? expires * 1000),
  };
}
