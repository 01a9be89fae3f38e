import { attempt, run, type Outcome } from '../../../tools/node/run.ts';

/** An object as kubectl prints it, as far as a test looks at it. */
export interface Printed {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/** kubectl as the cluster's administrator. */
export class Kubectl {
  readonly #program: string;
  readonly #kubeconfig: string;
  readonly #home: string;

  /** `home` is a folder for what kubectl keeps, so that nothing is left of it. */
  constructor(program: string, kubeconfig: string, home: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
    this.#home = home;
  }

  /** The outcome, whatever it is. */
  attempt(args: readonly string[], input?: string): Promise<Outcome> {
    return attempt(this.#program, args, this.#options(input));
  }

  /** The output of a command that must succeed. */
  run(args: readonly string[], input?: string): Promise<string> {
    return run(this.#program, args, this.#options(input));
  }

  /** Applies objects, or the text of manifests. */
  async apply(manifests: string | readonly object[]): Promise<void> {
    const text =
      typeof manifests === 'string'
        ? manifests
        : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
    await this.run(['apply', '--server-side', '--force-conflicts', '--filename=-'], text);
  }

  /** One object. */
  async get<T = object>(kind: string, name: string, namespace?: string): Promise<T & Printed> {
    return JSON.parse(await this.run(['get', kind, name, '--output=json', ...within(namespace)])) as T &
      Printed;
  }

  /** All objects of a kind, or those with the labels, in one namespace or in all. */
  async list<T = object>(kind: string, namespace?: string, selector?: string): Promise<(T & Printed)[]> {
    const where = namespace === undefined ? ['--all-namespaces'] : within(namespace);
    const chosen = selector === undefined ? [] : [`--selector=${selector}`];
    const text = await this.run(['get', kind, '--output=json', ...where, ...chosen]);
    return (JSON.parse(text) as { items: (T & Printed)[] }).items;
  }

  /** Waits for a condition, such as `condition=Ready`. */
  async wait(condition: string, what: string, namespace?: string, seconds = 90): Promise<void> {
    await this.run(['wait', `--for=${condition}`, what, `--timeout=${seconds}s`, ...within(namespace)]);
  }

  /** Deletes an object and waits until it is gone. */
  async delete(what: string, namespace?: string, seconds = 90): Promise<void> {
    await this.run(['delete', what, `--timeout=${seconds}s`, ...within(namespace)]);
  }

  #options(input: string | undefined) {
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: this.#home, KUBECONFIG: this.#kubeconfig };
    // Commands have limits of their own, which say what they waited for.
    return { env, timeoutMs: 10 * 60_000, ...(input === undefined ? {} : { input }) };
  }
}

function within(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : [`--namespace=${namespace}`];
}
