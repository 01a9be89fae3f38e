import type { TinyCertCertificate, TinyCertIssuer } from '../../../src/api/kinds.ts';
import { authorityKey, isSameCertificate } from '../../../src/api/tinycert/identity.ts';
import type { IssuerStatus } from '../../../src/api/tinycert/issuer-status.ts';
import { type Attempt, attemptOwner, placeHash } from '../../../src/issuance/tinycert/attempt.ts';
import type { LeftoverCertificate } from '../../../src/issuance/tinycert/inventory/leftover-secrets.ts';
import type { Observation } from '../../../src/issuance/tinycert/inventory/observations.ts';
import { LossSigns } from '../../../src/issuance/tinycert/inventory/loss-signs.ts';
import { IssuerDirectory, type ReadyIssuer } from '../../../src/issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../../src/issuance/tinycert/kind.ts';
import { markerOf } from '../../../src/issuance/tinycert/marker.ts';
import type { Released, TinyCertView } from '../../../src/issuance/tinycert/records.ts';
import {
  type CertificateSummary,
  type ReportedStatus,
  type TinyCertClient,
  TinyCertError,
} from '../../../src/tinycert/index.ts';
import { Inventory } from '../../../src/tinycert-issuers/inventory.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { accountOf, issuer as build } from './accounts.ts';
import { attempt, authority, certificate, issued, ref } from './inputs.ts';
import { tinycertView } from './tinycert-view.ts';

/** The keys of the issuer with the mark, and of another one of the authority. */
export const KEY = 'TinyCertIssuer:ns/ca';
export const OTHER = 'TinyCertIssuer:ns/other';
const { signal } = new AbortController();
const marking = (status: IssuerStatus = {}): TinyCertIssuer =>
  build({
    spec: { ownershipMarker: 'OrganizationalUnit' },
    status: { authority: { id: 1, account: authority.account, name: 'Example' }, ...status },
  });

/** A line of the CA's list. */
export function line(id: number, status: ReportedStatus = 'good'): CertificateSummary {
  return { id, status, commonName: 'www.example.com', expires: 2_000_000_000 };
}

/** A resource that has a certificate. */
export function owner(certificateId: number, account = authority.account): TinyCertCertificate {
  return certificate({ status: { ...issued, ...ref(certificateId, { account }) } });
}

/** What the journal remembers of a certificate of the issuer that was given up. */
export function given(
  certificateId: number,
  cause: Released['cause'],
  account = authority.account,
): Released {
  return {
    is: 'released',
    ...ref(certificateId, { account }),
    issuer: placeHash(KEY),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** The inventory of an authority, over a CA whose certificates all read `cert`, and over TinyCert's part of a journal. */
export function inventoryStage(
  cert: string,
  options: {
    lines?: CertificateSummary[];
    /** Ids of certificates that carry the issuer's mark. */
    marked?: number[];
    /** Ids that the CA no longer has. */
    gone?: number[];
    status?: IssuerStatus;
    /** The highest id that the journal has of the authority. */
    highest?: number;
    leftovers?: LeftoverCertificate[];
    live?: TinyCertCertificate[];
    /** What the first list ends with. */
    failure?: Error;
  } = {},
) {
  const { lines = [], marked = [], gone = [], highest = 0, leftovers = [], live = [] } = options;
  const clock = new VirtualClock('2026-01-01T00:00:00Z');
  const calls: string[] = [];
  let { failure } = options;
  const missing = (call: string): Error => new TinyCertError('NotFound', { call });
  const account = accountOf(clock, {
    streamCertificates: async (_, __, onLine) => {
      calls.push('list');
      for (const each of lines) onLine(each);
      if (failure) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      return lines.length;
    },
    getCertificateDetails: async (id) => {
      calls.push(`details ${id}`);
      await world.onDetails();
      if (gone.includes(id)) throw missing('cert/details');
      const organizationalUnit = marked.includes(id) ? markerOf('issuer-uid', 'uid') : 'Sales';
      return {
        id,
        status: 'good',
        subject: { commonName: 'www.example.com', organizationalUnit },
        alternativeNames: [],
        otherNames: [],
      };
    },
    getCertificate: (async () => cert) as unknown as TinyCertClient['getCertificate'],
  });
  const resources: TinyCertCertificate[] = [];
  const waiting: string[] = [];
  const { view, api } = tinycertView(clock, { refused: (key) => waiting.push(key) });
  /** Undefined while the journal is taken over. */
  const journal: { view: TinyCertView | undefined } = { view };
  const observed: Map<string, Observation>[] = [];
  const lossSigns = new LossSigns(tinycertKind.timing);
  const inventory = new Inventory({
    clock,
    directory: new IssuerDirectory(),
    resources: () => resources,
    issuers: () => [{ key: KEY, issuer: marking(options.status) }],
    listCertificates: async () => {
      calls.push('live');
      return live;
    },
    journal: {
      get view() {
        return journal.view;
      },
      viewFor: (key) => {
        if (!journal.view) waiting.push(key);
        return journal.view;
      },
      highest: (name) => (name === authorityKey(authority) ? highest : 0),
    },
    leftoverSecrets: {
      of: async (asked) =>
        leftovers.filter((left) => asked.some((each) => isSameCertificate(each, left.certificate))),
    },
    observations: { replace: (_, found) => void observed.push(found) },
    lossSigns,
  });
  const ready = { key: KEY, account, authority: { ...authority, name: 'Example' } } as ReadyIssuer;
  const world = {
    clock,
    account,
    calls,
    /** What happens while the details of a certificate are read. */
    onDetails: (): Promise<unknown> => Promise.resolve(),
    resources,
    view,
    api,
    journal,
    /** What the journal wakes when it is ready again. */
    waiting,
    inventory,
    /** Opens an attempt of another resource of the builders' namespace. */
    open: (change: Partial<Attempt> = {}) =>
      view.open({
        owner: attemptOwner('other', change.account ?? authority.account),
        group: 'g',
        make: () => ({ ...attempt, resource: placeHash('ns/other'), ...change }),
      }),
    /** Puts this on record. */
    record: (...records: Released[]) =>
      view.record(
        'somebody',
        records.map((record) => ({ name: JSON.stringify(record), group: 'g', record })),
      ),
    observed,
    lossSigns,
    /** Takes the list again unless it has what was bought before this moment. */
    listAgain: (moment: number) => inventory.listAgain(ready, moment, signal),
    list: (by = KEY) => inventory.list(account, authority, by, signal),
    found: (key = KEY) => inventory.found({ ...ready, key }, signal),
  };
  return world;
}
