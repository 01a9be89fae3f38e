import type { z } from 'zod';
import { readOptions } from '../http/settings.ts';
import type { CallOptions, WaitOptions } from '../http/types.ts';
import { Caller } from './caller.ts';
import { defaultEndpoint } from './default-endpoint.ts';
import { invalidOptions } from './errors.ts';
import * as inputs from './inputs.ts';
import { JsonArrayError, JsonArrayReader } from './json-array-reader.ts';
import { assertSuccess, parseBody, protocolError, wrongShape } from './reply.ts';
import * as schemas from './schemas.ts';
import { createTinyCertSession, sessionKey, stateOf } from './session.ts';
import type { Parameters } from './signing.ts';
import type {
  CertificatePemItem,
  CertificateSummary,
  CreateAuthorityInput,
  CreateCertificateInput,
  SettableStatus,
  StatusFilter,
  TinyCertClient,
  TinyCertClientOptions,
} from './types.ts';

/** The most bytes of a `cert/list`, which has no paging and takes about 88 bytes per certificate. */
const maxListBytes = 64 * 1024 * 1024;

/** Creates a client of one TinyCert account. It connects with the first call. Throws `InvalidOptions`. */
export function createTinyCertClient(options: TinyCertClientOptions): TinyCertClient {
  const { credentials, deadlineMs = 20_000 } = options;
  for (const name of ['email', 'passphrase', 'apiKey'] as const)
    if (typeof credentials[name] !== 'string' || credentials[name] === '')
      throw invalidOptions(`credentials.${name} is empty.`);
  if (!(deadlineMs > 0)) throw invalidOptions('deadlineMs must be a number above 0.');
  const defaults = { endpoint: defaultEndpoint, userAgent: 'tinycert-client' };
  const settings = readOptions(options, defaults, invalidOptions);
  const session = stateOf(options.session ?? createTinyCertSession(options));
  if (session.key !== sessionKey(options)) throw invalidOptions('session belongs to another account.');
  return new Client(new Caller({ credentials, session, settings, deadlineMs }));
}

/** The calls by name. All state is in private fields, so printing a client shows nothing. */
class Client implements TinyCertClient {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  connect(options?: WaitOptions): Promise<void> {
    return this.#caller.connect(options);
  }

  disconnect(options?: CallOptions): Promise<void> {
    return this.#caller.disconnect(options);
  }

  async listAuthorities(options?: CallOptions) {
    return this.#call('ca/list', {}, schemas.authorityListReply, options);
  }

  async getAuthority(id: number, options?: CallOptions) {
    const parameters = inputs.check('ca/details', inputs.authorityId, id);
    const details = await this.#call('ca/details', parameters, schemas.authorityReply, options);
    return sameId('ca/details', id, details);
  }

  async getAuthorityCertificate(id: number, options?: CallOptions) {
    const parameters = inputs.check('ca/get', inputs.authorityCertificate, id);
    return this.#call('ca/get', parameters, schemas.pemReply, options);
  }

  async createAuthority(input: CreateAuthorityInput, options?: CallOptions) {
    const parameters = inputs.check('ca/new', inputs.newAuthority, input);
    return this.#call('ca/new', parameters, schemas.newAuthorityReply, options);
  }

  async deleteAuthority(id: number, options?: CallOptions) {
    await this.#command('ca/delete', inputs.check('ca/delete', inputs.authorityId, id), options);
  }

  async listCertificates(authorityId: number, statuses?: StatusFilter, options?: CallOptions) {
    const entries: CertificateSummary[] = [];
    await this.streamCertificates(authorityId, statuses, (entry) => entries.push(entry), options);
    return entries;
  }

  async streamCertificates(
    authorityId: number,
    statuses: StatusFilter | undefined,
    onEntry: (entry: CertificateSummary) => void,
    options?: CallOptions,
  ) {
    const name = 'cert/list';
    const parameters = inputs.check(name, inputs.certificateList, { authorityId, statuses });
    let count = 0;
    const reader = new JsonArrayReader((elements) => {
      for (const element of elements) {
        const result = schemas.readCertificateEntry(element);
        if (!result.success) throw wrongShape(name, result.error);
        onEntry(result.data);
        count += 1;
      }
    });
    const sink = (chunk: Buffer): void => readOrRefuse(name, () => reader.write(chunk));
    await this.#caller.invoke({ name, parameters, maxBytes: maxListBytes, sink }, options);
    readOrRefuse(name, () => reader.end());
    return count;
  }

  async getCertificateDetails(id: number, options?: CallOptions) {
    const parameters = inputs.check('cert/details', inputs.certificateId, id);
    const details = await this.#call('cert/details', parameters, schemas.certificateReply, options);
    return sameId('cert/details', id, details);
  }

  getCertificate(id: number, what: CertificatePemItem, options?: CallOptions): Promise<string>;
  getCertificate(id: number, what: 'pkcs12', options?: CallOptions): Promise<Buffer>;
  async getCertificate(id: number, what: CertificatePemItem | 'pkcs12', options?: CallOptions) {
    const parameters = inputs.check('cert/get', inputs.certificateItem, { certificateId: id, what });
    return what === 'pkcs12'
      ? this.#call('cert/get', parameters, schemas.pkcs12Reply, options)
      : this.#call('cert/get', parameters, schemas.pemReply, options);
  }

  async createCertificate(input: CreateCertificateInput, options?: CallOptions) {
    const parameters = inputs.check('cert/new', inputs.newCertificate, input);
    return this.#call('cert/new', parameters, schemas.newCertificateReply, options);
  }

  async reissueCertificate(id: number, options?: CallOptions) {
    const parameters = inputs.check('cert/reissue', inputs.certificateId, id);
    return this.#call('cert/reissue', parameters, schemas.newCertificateReply, options);
  }

  async setCertificateStatus(id: number, status: SettableStatus, options?: CallOptions) {
    const parameters = inputs.check('cert/status', inputs.newStatus, { certificateId: id, status });
    await this.#command('cert/status', parameters, options);
  }

  clockOffset() {
    return this.#caller.clockOffset;
  }

  close(options: { disconnect?: boolean } = {}): Promise<void> {
    return this.#caller.close(options.disconnect ?? false);
  }

  async #call<T>(
    name: string,
    parameters: Parameters,
    reply: z.ZodType<T>,
    options: CallOptions | undefined,
  ): Promise<T> {
    return parseBody(name, await this.#caller.invoke({ name, parameters }, options), reply);
  }

  /** Makes a call whose reply has no documented body: any 200 is a success, unless it cannot be one. */
  async #command(name: string, parameters: Parameters, options: CallOptions | undefined): Promise<void> {
    assertSuccess(name, await this.#caller.invoke({ name, parameters }, options));
  }
}

function readOrRefuse(call: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (error instanceof JsonArrayError)
      throw protocolError(call, `The list cannot be read: ${error.message}.`);
    throw error;
  }
}

/** Refuses details of another id than the requested one, as a broken cache might return. */
function sameId<T extends { id: number }>(call: string, id: number, details: T): T {
  if (details.id !== id) throw protocolError(call, 'The reply is about another id.');
  return details;
}
