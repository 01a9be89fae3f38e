import type { Reconcile } from '../../kube/controller/controller.ts';
import { ApiError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import { trimEndOf } from '../../lib/text.ts';
import type { Warn } from './events.ts';

/**
 * How many reconciles in a row have to fail before a refusal that may pass is reported. With the backoff of the controller
 * this takes about two minutes, longer than a restart of an API server or an election in etcd.
 */
export const FAILURES_BEFORE_EVENT = 7;

/** The API server refuses or does not keep the status of one resource, although the CRDs have every field. */
export class StatusRefused extends AppError {
  /** Whether the same write may succeed later although nobody changes anything. */
  readonly mayPass: boolean;

  constructor(why: string, { mayPass = false, ...options }: ErrorOptions & { mayPass?: boolean } = {}) {
    super(
      'StatusRefused',
      `The API server refuses the status of this resource, and nothing more is issued for it until that is fixed: ${why}`,
      options,
    );
    this.mayPass = mayPass;
  }
}

/**
 * What to do about each answer that refuses the content of a write. 413 and 422 judge the request itself, so the same write
 * cannot succeed before somebody changes something. 500 is what etcd's limit of size looks like (`request is too large`), and
 * a broken webhook; but so does an etcd that elects a leader. 403 is a policy or a missing role, and also an API server that
 * has just started and does not know the roles yet. Only time tells these apart. All other answers (401, 429, 503, 504) and
 * none at all concern the API server and not the resource.
 */
const CURES: Readonly<Record<number, string>> = {
  403: 'Let the operator update the status: check its role and the admission policies of the cluster.',
  413: 'Make the resource smaller, or change the admission policy that refuses it.',
  422: 'Remove from the resource what makes it invalid, or change the admission policy that refuses it.',
  500: 'If the resource is too large, remove what others wrote into it; else check the API server and its admission webhooks.',
};

const MAY_PASS: ReadonlySet<number> = new Set([403, 500]);

/** The refusal that a failed status write amounts to; undefined if it is none. */
export function refusalOf(error: unknown): StatusRefused | undefined {
  const cure = error instanceof ApiError ? CURES[error.status] : undefined;
  if (!(error instanceof ApiError) || cure === undefined) return undefined;
  const why = `${trimEndOf(error.message, '. ')}. ${cure}`;
  return new StatusRefused(why, { cause: error, mayPass: MAY_PASS.has(error.status) });
}

/**
 * Reports a refused status by an event, since no condition can report it. `failures`: how many reconciles failed in a row
 * before this one.
 */
export function warnOfRefusal(warn: Warn, resource: KubeObject, error: unknown, failures: number): void {
  if (!(error instanceof StatusRefused) || (error.mayPass && failures < FAILURES_BEFORE_EVENT)) return;
  warn(resource, error.code, error.message);
}

/** Has a controller report by events that the API server refuses the status of its resources. */
export function reportingRefusals(
  { resources, warn }: { resources: { get: (key: string) => KubeObject | undefined }; warn: Warn },
  reconcile: Reconcile,
): Reconcile {
  return async (key, context) => {
    try {
      return await reconcile(key, context);
    } catch (error) {
      const resource = resources.get(key);
      if (resource) warnOfRefusal(warn, resource, error, context.failures);
      throw error;
    }
  };
}
