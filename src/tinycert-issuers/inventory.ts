import type { Account } from '../account/tinycert-account.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import {
  Census,
  Evidence,
  type Facts,
  type Source,
  claimsIn,
  isClaimed,
  knownStatuses,
  unclaimed,
} from '../issuance/tinycert/inventory/census.ts';
import type { LeftoverSecrets } from '../issuance/tinycert/inventory/leftover-secrets.ts';
import { type Observations, observe } from '../issuance/tinycert/inventory/observations.ts';
import type { Found, Orphan } from '../issuance/tinycert/inventory/orphans.ts';
import { type IssuerDirectory, type ReadyIssuer, issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import { certificateAtCa, orGone } from '../issuance/tinycert/lookup.ts';
import { installationMark } from '../issuance/tinycert/marker.ts';
import { type KeyedIssuer, type ReleasedStore, isOfAuthority } from '../issuance/tinycert/released-store.ts';
import { released } from '../issuance/tinycert/released.ts';
import { askedFor, requestHash } from '../issuance/tinycert/request.ts';
import type { Clock } from '../lib/clock.ts';
import { KeyedMutex } from '../lib/mutex.ts';
import type { CertificateSummary } from '../tinycert/index.ts';

export interface InventoryOptions {
  clock: Clock;
  directory: IssuerDirectory;
  /** All resources in their newest known version, and those that vanished and are not recorded on their issuer yet. */
  resources: () => Iterable<TinyCertCertificate>;
  /** All issuers that the operator may read, as watched. */
  issuers: () => Iterable<KeyedIssuer>;
  /** All resources that the operator may read, live. */
  listCertificates: (signal: AbortSignal) => Promise<TinyCertCertificate[]>;
  releasedStore: Pick<ReleasedStore, 'add' | 'read'>;
  leftoverSecrets: Pick<LeftoverSecrets, 'of'>;
  observations: Pick<Observations, 'replace'>;
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
 * The inventory of what authorities have issued: one list of each authority per interval, and then, in this order
 * (`inventoryListsFirst`), the claims of resources to what it contains. It changes nothing at the CA.
 */
export class Inventory {
  readonly #options: InventoryOptions;
  readonly #passes = new WeakMap<Account, Map<number, Pass>>();
  readonly #locks = new KeyedMutex();

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  /**
   * Takes the list of an authority, unless another issuer did so recently, and notes its highest id. Rejects with a
   * `TinyCertError`.
   */
  list(account: Account, authorityId: number, issuerKey: string, signal: AbortSignal): Promise<void> {
    return this.#locks.run(
      String(authorityId),
      () => this.#list(account, authorityId, issuerKey, signal),
      signal,
    );
  }

  /**
   * What an issuer should show of the last list; undefined if there is none. Rejects with a `TinyCertError`, an `ApiError`
   * or an `X509Error`.
   */
  found({ account, authority, key }: ReadyIssuer, signal: AbortSignal): Promise<Found | undefined> {
    return this.#locks.run(
      String(authority.id),
      async () => {
        const pass = this.#passes.get(account)?.get(authority.id);
        if (!pass) return undefined;
        if (pass.census) await this.#evaluate(account, authority.id, pass, pass.census, signal);
        const { counts, foreignCount, orphans } = pass;
        return { counts, foreignCount, orphans: orphans.get(key) ?? [] };
      },
      signal,
    );
  }

  async #list(account: Account, authorityId: number, by: string, signal: AbortSignal): Promise<void> {
    const { clock, observations, resources } = this.#options;
    const passes = this.#passes.get(account) ?? new Map<number, Pass>();
    this.#passes.set(account, passes);
    const before = passes.get(authorityId);
    const at = clock.monotonic();
    if (before && before.by !== by && at - before.at < LIST_SHARED_MS) return;
    const census = new Census(knownStatuses(this.#near(by), authorityId));
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
    const claims = claimsIn(resources(), authorityId, census.unlisted);
    observations.replace(String(authorityId), observe(census, this.#near(by), claims, authorityId));
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
    account: Account,
    authorityId: number,
    pass: Pass,
    census: Census,
    signal: AbortSignal,
  ): Promise<void> {
    const sources = this.#sources(authorityId);
    const evidence = new Evidence(sources);
    const lines = await this.#unexplained(account, authorityId, census, evidence, sources, signal);
    const facts = new Map<number, Facts>();
    const orphans: { line: CertificateSummary; key: string }[] = [];
    let foreignCount = 0;
    let reads = 0;
    for (const line of lines) {
      let known = pass.facts.get(line.id);
      let finding = evidence.of(line, known);
      const isToBeShown = typeof finding === 'object' && known === undefined && !isShown(sources, line.id);
      if ((finding === 'needs facts' || isToBeShown) && reads < MAX_READS) {
        reads += 1;
        known = await readFacts(account, authorityId, line.id, signal);
        finding = known ? evidence.of(line, known) : 'released';
      }
      if (known) facts.set(line.id, known);
      if (typeof finding === 'object') orphans.push({ line, key: finding.orphanOf });
      else if (finding !== 'released') foreignCount += 1;
    }
    const certain = await this.#confirmed(authorityId, census, sources, orphans, signal);
    const shown = new Map<string, Orphan[]>();
    const observedTime = rfc3339(this.#options.clock.now());
    for (const { line, key } of certain) {
      const orphan = { ...describe(line, facts.get(line.id)), observedTime };
      shown.set(key, [...(shown.get(key) ?? []), orphan]);
    }
    pass.foreignCount = foreignCount;
    pass.orphans = shown;
    pass.facts = facts;
    pass.census = undefined;
  }

  /** Certificates that are neither claimed nor released, newest first. Those that a leftover Secret explains are recorded now. */
  async #unexplained(
    account: Account,
    authorityId: number,
    census: Census,
    evidence: Evidence,
    sources: readonly Source[],
    signal: AbortSignal,
  ): Promise<CertificateSummary[]> {
    const { clock, leftoverSecrets, releasedStore, resources } = this.#options;
    const lines = unclaimed(census.others, claimsIn(resources(), authorityId, census.unlisted))
      .filter((line) => evidence.of(line, undefined) !== 'released')
      .sort((a, b) => b.id - a.id);
    const left = await leftoverSecrets.of(new Set(lines.map(({ id }) => id)), account, signal);
    const explained = new Set<number>();
    for (const { key } of sources) {
      const own = left.filter((each) => each.issuerKey === key);
      if (own.length === 0) continue;
      const at = clock.now();
      const releases = own.flatMap((each) => released(each, [each.certificateId], at, 'Deleted'));
      await releasedStore.add(key, { released: releases }, signal);
      for (const { certificateId } of own) explained.add(certificateId);
    }
    return lines.filter(({ id }) => !explained.has(id));
  }

  /** The orphans that are unclaimed in a live list too, which is read before an orphan is reported for the first time. */
  async #confirmed<T extends { line: CertificateSummary }>(
    authorityId: number,
    census: Census,
    sources: readonly Source[],
    orphans: readonly T[],
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    const { listCertificates, releasedStore, resources } = this.#options;
    if (orphans.every(({ line }) => isShown(sources, line.id))) return orphans;
    const live = await listCertificates(signal);
    const claims = claimsIn([...live, ...resources()], authorityId, census.unlisted);
    const { released } = await releasedStore.read(authorityId, signal);
    const givenUp = new Set(
      released.filter(({ cause }) => cause !== 'Undecided').map(({ certificateId }) => certificateId),
    );
    return orphans.filter(({ line }) => !isClaimed(line, claims) && !givenUp.has(line.id));
  }

  /** Resources whose issuer has the same endpoint: each endpoint counts its ids from one. */
  *#near(key: string): Generator<TinyCertCertificate> {
    const { issuers, resources } = this.#options;
    const endpoints = new Map([...issuers()].map((each) => [each.key, each.issuer.spec.endpoint]));
    const own = endpoints.get(key);
    for (const resource of resources()) {
      const { spec, metadata } = resource;
      if (endpoints.get(issuerKey(spec.issuerRef, metadata.namespace)) === own) yield resource;
    }
  }

  #sources(authorityId: number): Source[] {
    const { issuers, directory } = this.#options;
    return [...issuers()]
      .filter((each) => isOfAuthority(directory, each, authorityId))
      .map(({ key, issuer: { metadata, spec, status = {} } }) => ({
        key,
        mark:
          spec.ownershipMarker === 'OrganizationalUnit' ? installationMark(metadata.uid ?? '') : undefined,
        status,
      }));
  }
}

function isShown(sources: readonly Source[], id: number): boolean {
  return sources.some(({ status }) => status.orphans?.some(({ certificateId }) => certificateId === id));
}

/** The facts that a certificate itself states; undefined if the CA no longer has it. */
async function readFacts(
  { client }: Account,
  authorityId: number,
  id: number,
  signal: AbortSignal,
): Promise<Facts | undefined> {
  const [details, certificate] = await Promise.all([
    orGone(() => client.getCertificateDetails(id, { signal })),
    certificateAtCa(client, id, { signal }),
  ]);
  if (!details || !certificate) return undefined;
  const request = askedFor(authorityId, details);
  const { notBefore, notAfter, serialNumber } = certificate;
  return {
    organizationalUnit: details.subject.organizationalUnit ?? '',
    requestHash: request ? requestHash(request) : '',
    notBefore,
    notAfter,
    serialNumber,
  };
}

function describe({ id, commonName, expires }: CertificateSummary, facts: Facts | undefined): Orphan {
  return {
    certificateId: id,
    commonName: commonName.slice(0, 256),
    ...(facts ? { serialNumber: facts.serialNumber } : {}),
    notAfter: rfc3339(facts?.notAfter ?? expires * 1000),
  };
}
