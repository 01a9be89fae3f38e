/** The table of certificate requests, and the signer that works through it. */
import { createHash } from 'node:crypto';
import { ServiceError } from '../service-error.ts';
import { certificate } from '../x509/x509.ts';
import type { CAcertAuthority, Hierarchy } from './hierarchy.ts';
import { type Order, planOf } from './plan.ts';
import { clientExtensions, nameOf } from './profile.ts';
import type { CAcertCertificateView, CAcertRequestView } from './types.ts';

const FIRST_ID = 4001;

interface Row {
  view: CAcertRequestView;
  order: Order;
  certificate?: { view: CAcertCertificateView; der: Buffer; serial: number; revokedAt?: number };
}

export class Signer {
  readonly #rows = new Map<number, Row>();
  readonly #hierarchy: Hierarchy;
  readonly #now: () => number;
  readonly #ocsp: string;

  /** `now` is in Unix milliseconds; `ocsp` is the URL in the certificates. */
  constructor(hierarchy: Hierarchy, now: () => number, ocsp: string) {
    this.#hierarchy = hierarchy;
    this.#now = now;
    this.#ocsp = ocsp;
  }

  /** Queues a request and returns its id. Each is a new row: the site does not check whether it has seen the key. */
  queue(order: Order): number {
    const id = FIRST_ID + this.#rows.size;
    const { member, cn, emails, codeSigning, request, origin } = order;
    const view: CAcertRequestView = {
      id,
      account: member.username,
      cn,
      emails,
      codeSigning,
      keyFingerprint: digest(request.spki),
      requestedAt: this.#now(),
      status: 'waiting',
      origin,
    };
    this.#rows.set(id, { view, order });
    return id;
  }

  /** Signs a waiting request, or refuses it if its own key has not signed it. Does nothing if the request is no longer waiting. */
  sign(id: number): void {
    const row = this.#row(id);
    if (row.view.status !== 'waiting') return;
    if (!row.order.request.isSigned) {
      row.view.status = 'refused';
      return;
    }
    const plan = planOf(row.order, this.#hierarchy, Math.floor(this.#now() / 1000));
    const { authority, notBefore, notAfter } = plan;
    const serial = authority.nextSerial;
    authority.nextSerial += 1;
    const profile = { ...plan, crl: authority.crl, ocsp: this.#ocsp };
    const der = certificate(
      {
        serial,
        issuer: authority.name,
        subject: nameOf({ CN: plan.cn, emails: plan.emails }),
        notBefore,
        notAfter,
        spki: plan.spki,
        extensions: clientExtensions(profile),
      },
      plan.signingKey,
      'sha512',
    );
    const signedAt = this.#now();
    Object.assign(row.view, { status: 'signed', signedAt });
    const hex = serial.toString(16);
    const view: CAcertCertificateView = {
      id,
      account: row.view.account,
      serial: hex.length % 2 === 0 ? hex : `0${hex}`,
      issuer: authority.id,
      cn: plan.cn,
      emails: plan.emails,
      codeSigning: plan.codeSigning,
      keyFingerprint: digest(plan.spki),
      notBefore,
      notAfter,
      signedAt,
      revoked: false,
      origin: row.view.origin,
    };
    row.certificate = { view, der, serial };
    row.order.onSigned();
  }

  /** The certificate of a request in DER; undefined while there is none. */
  certificateOf(id: number): Buffer | undefined {
    return this.#row(id).certificate?.der;
  }

  certificateView(id: number): CAcertCertificateView {
    return { ...this.#signed(id).view };
  }

  revoke(id: number): void {
    const signed = this.#signed(id);
    signed.view.revoked = true;
    signed.revokedAt ??= Math.floor(this.#now() / 1000);
  }

  requests(): CAcertRequestView[] {
    return [...this.#rows.values()].map(({ view }) => ({ ...view }));
  }

  certificates(): CAcertCertificateView[] {
    return [...this.#rows.values()].flatMap(({ certificate: signed }) =>
      signed ? [{ ...signed.view }] : [],
    );
  }

  /** The revoked certificates of an authority. */
  revoked(issuer: CAcertAuthority['id']): { serial: number; revokedAt: number }[] {
    return [...this.#rows.values()].flatMap(({ certificate: signed }) =>
      signed?.revokedAt !== undefined && signed.view.issuer === issuer
        ? [{ serial: signed.serial, revokedAt: signed.revokedAt }]
        : [],
    );
  }

  #row(id: number): Row {
    const row = this.#rows.get(id);
    if (!row) throw new ServiceError('NotFound', 'There is no such request');
    return row;
  }

  #signed(id: number): NonNullable<Row['certificate']> {
    const { certificate: signed } = this.#row(id);
    if (!signed) throw new ServiceError('NotFound', 'Nothing was signed for this request');
    return signed;
  }
}

function digest(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex');
}
