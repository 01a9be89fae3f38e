import { AppError, clip } from '../lib/errors.ts';

/** One detail of a refusal, from `Status.details.causes`: usually a field and what is wrong with it. */
export interface ApiErrorCause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ApiErrorFields {
  /** HTTP status, or the code of a watch's ERROR event; 0 if there was no answer. */
  status: number;
  /** `Status.reason`, or one of ours: ConnectionFailed, DeadlineExceeded, Aborted, ProtocolError. */
  reason: string;
  message: string;
  verb: string;
  resource: string;
  retryAfterMs?: number;
  causes?: readonly ApiErrorCause[];
  /** The `code` of the system or TLS error below, such as ECONNREFUSED. */
  system?: string;
  cause?: unknown;
}

/** A request that the API server refused or never answered. */
export class ApiError extends AppError {
  readonly status: number;
  readonly reason: string;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly causes: readonly ApiErrorCause[];
  readonly verb: string;
  /** Plural name of the kind, or the path if the kind is unknown. */
  readonly resource: string;
  readonly system?: string;

  constructor(fields: ApiErrorFields) {
    super('KUBE_API', clip(fields.message), fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.reason = fields.reason;
    this.causes = fields.causes ?? [];
    this.verb = fields.verb;
    this.resource = fields.resource;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    if (fields.system !== undefined) this.system = fields.system;
  }
}

/** The error for a Status object. `request` supplies what the object lacks, such as the HTTP status. */
export function statusError(
  status: unknown,
  request: { verb: string; resource: string; status: number; retryAfterMs?: number },
): ApiError {
  const body = isStatus(status) ? status : {};
  const code = typeof body.code === 'number' ? body.code : request.status;
  const seconds = body.details?.retryAfterSeconds;
  const retryAfterMs =
    request.retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined);
  return new ApiError({
    status: code,
    reason: clip(text(body.reason) ?? reasonOf(code), 64),
    message: text(body.message) ?? 'The API server refused the request.',
    verb: request.verb,
    resource: request.resource,
    causes: causesOf(body),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Most causes that are kept: enough to show what is wrong, too few to flood a condition. */
const MAX_CAUSES = 16;

interface StatusBody {
  code?: unknown;
  reason?: unknown;
  message?: unknown;
  details?: { retryAfterSeconds?: unknown; causes?: unknown } | null;
}

function isStatus(value: unknown): value is StatusBody {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

function causesOf(body: StatusBody): ApiErrorCause[] {
  const listed: unknown = body.details?.causes;
  if (!Array.isArray(listed)) return [];
  return listed.slice(0, MAX_CAUSES).flatMap((item: unknown): ApiErrorCause[] => {
    if (typeof item !== 'object' || item === null) return [];
    const { field, reason, message } = item as Record<string, unknown>;
    return [
      {
        ...(typeof field === 'string' ? { field: clip(field) } : {}),
        ...(typeof reason === 'string' ? { reason: clip(reason, 64) } : {}),
        ...(typeof message === 'string' ? { message: clip(message) } : {}),
      },
    ];
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The API server's reason for each HTTP status, for answers without a Status object (from proxies and authenticators). */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function reasonOf(status: number): string {
  return REASONS[status] ?? 'Unknown';
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError;
}

/** 404: no such object, namespace or kind. */
export function isNotFound(error: unknown): boolean {
  return isApiError(error) && error.status === 404;
}

/** 409: the object exists already. */
export function isAlreadyExists(error: unknown): boolean {
  return isApiError(error) && error.status === 409 && error.reason === 'AlreadyExists';
}

/** 409: the object has changed since it was read. */
export function isConflict(error: unknown): boolean {
  return isApiError(error) && error.status === 409 && error.reason !== 'AlreadyExists';
}

/** 410: the resourceVersion or the continue token is too old, so list again. */
export function isExpired(error: unknown): boolean {
  return isApiError(error) && error.status === 410;
}

/** 403: the operator lacks a right. */
export function isForbidden(error: unknown): boolean {
  return isApiError(error) && error.status === 403;
}

/** 422: the object violates its schema or a validation rule. */
export function isInvalid(error: unknown): boolean {
  return isApiError(error) && error.status === 422;
}

/** 401: the credentials were rejected. */
export function isUnauthorized(error: unknown): boolean {
  return isApiError(error) && error.status === 401;
}

/** The caller's signal aborted the request, or the transport was closed. */
export function isAborted(error: unknown): boolean {
  return isApiError(error) && error.reason === 'Aborted';
}
