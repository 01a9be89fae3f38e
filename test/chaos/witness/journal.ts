/** What the operators' journals hold, read from etcd without code of the operator. */
import { createHash } from 'node:crypto';
import type { EtcdWitness, Stored } from '../etcd.ts';
import { MAIN, OTHER } from '../population.ts';
import type { Ref } from './identity.ts';

/** The namespace of each installation's operator. */
export const OPERATORS: readonly string[] = [MAIN[0], OTHER[0]];
/** Where each installation keeps its attempts, and its records. */
const KEYS = OPERATORS.flatMap((namespace) =>
  ['tinycert-operator-journal', 'tinycert-operator-journal-records'].map(
    (name) => `/registry/secrets/${namespace}/${name}`,
  ),
);
/** The owner is the uid of a resource, and an account. */
const ENTRY = /^tinycert\.entry\.([^.]+)\./;
const RECORD = /^tinycert\.record\./;

/** An attempt whose result is not in the journal yet. */
export interface Entry {
  id: string;
  /** Of its resource. */
  uid: string;
  /** The authority that it asks. */
  account: string;
  authorityId: number;
  /** It stood in a journal that its operator took for one that was put back from a backup. */
  isPutBack?: boolean;
  /** The certificate to reissue. */
  previousId?: number;
  /** What it bought, if that could not be published at once. */
  certificateId?: number;
  /** Between these times the certificate that it buys begins. */
  since: string;
  until: string;
}

/** A certificate that a resource gave up; `Undecided`: perhaps its own. */
export interface Released extends Ref {
  cause?: string;
}

/** An attempt whose result nobody knows. */
export interface Abandoned {
  account: string;
  authorityId: number;
  /** Digest of the common name (`nameDigest`). */
  nameHash: string;
  afterId: number;
  since: string;
  until: string;
}

export interface Journal {
  /** The process that wrote it; undefined for records. */
  writer?: string;
  entries: readonly Entry[];
  released: readonly Released[];
  abandoned: readonly Abandoned[];
}

export function isJournal(key: string): boolean {
  return KEYS.includes(key);
}

/** What both installations' journals hold now. */
export function journalsIn(etcd: Pick<EtcdWitness, 'get'>): Journal {
  const parts = KEYS.map((key) => readJournal(etcd.get(key)));
  return {
    entries: parts.flatMap(({ entries }) => entries),
    released: parts.flatMap(({ released }) => released),
    abandoned: parts.flatMap(({ abandoned }) => abandoned),
  };
}

const known = new WeakMap<Stored, Journal>();

/** Reads one of the Secrets. Throws a SyntaxError if it holds anything that is no JSON. */
export function readJournal(secret: Stored | undefined): Journal {
  const before = secret && known.get(secret);
  if (before) return before;
  const texts = Object.entries(secret?.data ?? {});
  const entries = texts.flatMap(([key, text]) => {
    const [, uid] = ENTRY.exec(key) ?? [];
    if (uid === undefined) return [];
    const { id, isPutBack, entry } = parsed(text) as Pick<Entry, 'id' | 'isPutBack'> & { entry: Entry };
    return [{ ...entry, id, uid, ...(isPutBack ? { isPutBack } : {}) }];
  });
  const { leader } = secret?.data ?? {};
  const records = texts
    .filter(([key]) => RECORD.test(key))
    .map(
      ([, text]) =>
        (parsed(text) as { record: ({ is: 'released' } & Released) | ({ is: 'abandoned' } & Abandoned) })
          .record,
    );
  const journal: Journal = {
    ...(leader === undefined ? {} : { writer: (parsed(leader) as { holder: string }).holder }),
    entries,
    released: records.filter((record) => record.is === 'released'),
    abandoned: records.filter((record) => record.is === 'abandoned'),
  };
  if (secret) known.set(secret, journal);
  return journal;
}

/** Stands for a common name in the journal. The names of this run are in lower-case letters. */
export function nameDigest(commonName: string): string {
  return createHash('sha256').update(commonName).digest('hex').slice(0, 32);
}

function parsed(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
}
