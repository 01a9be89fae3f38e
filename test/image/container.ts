import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Image } from '../../tools/image/inspect/archive.ts';
import { run, type Supervision } from '../../tools/image/process.ts';

/** The bytes that the chart's Pod may use. */
export const MEMORY_LIMIT = chartLimit();

/** A program that ran in a container, to its end. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A file of this machine that a container may read. */
export interface Mount {
  source: string;
  target: string;
}

/** An image that is unpacked on this machine, to run as a hardened Pod does. */
export class UnpackedImage {
  readonly #image: Image;
  readonly #folder: string;
  readonly #root: string;
  #count = 0;

  private constructor(image: Image, folder: string) {
    this.#image = image;
    this.#folder = folder;
    this.#root = join(folder, 'root');
  }

  /** Unpacks the image into a folder, with the owners that its files have. */
  static async unpack(image: Image, folder: string, supervision: Supervision): Promise<UnpackedImage> {
    const unpacked = new UnpackedImage(image, folder);
    await mkdir(unpacked.#root);
    for (const [index, { tar }] of image.layers.entries()) {
      const file = join(folder, `layer-${index}.tar`);
      await writeFile(file, tar);
      await run(
        'tar',
        ['--extract', '--numeric-owner', '--same-owner', '--directory', unpacked.#root, '--file', file],
        { ...supervision, title: `Unpacking layer ${index + 1}` },
      );
    }
    return unpacked;
  }

  /**
   * Starts the image's entry point, or `program`, in a container: its own user, a read-only root, no capability, no new privileges, the
   * memory of the chart, and the network of this machine, where the API server of the tests is.
   */
  async start(
    args: readonly string[],
    { program, mounts = [] }: { program?: readonly string[]; mounts?: readonly Mount[] } = {},
  ): Promise<ChildProcess> {
    const id = `tinycert-operator-check-${process.pid}-${++this.#count}`;
    const bundle = await mkdtemp(join(this.#folder, 'bundle-'));
    const config = this.#config([...(program ?? this.#entrypoint), ...args], mounts, id);
    await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
    return spawn('runc', ['--root', join(this.#folder, 'runc'), 'run', '--bundle', bundle, id], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs it to its end. */
  async run(args: readonly string[], program?: readonly string[]): Promise<Outcome> {
    const child = await this.start(args, program === undefined ? {} : { program });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { ...outcome, code };
  }

  /** A copy of a file that the image's user may read, and others may not. */
  async readableCopy(file: string): Promise<string> {
    const copy = join(this.#folder, `copy-${++this.#count}`);
    await writeFile(copy, await readFile(file), { mode: 0o400 });
    const { uid, gid } = this.#user;
    await chown(copy, uid, gid);
    return copy;
  }

  /** Node as the image starts it, with all of its flags. */
  get node(): readonly string[] {
    return this.#entrypoint.slice(0, -1);
  }

  get #entrypoint(): readonly string[] {
    return this.#image.config.config.Entrypoint ?? [];
  }

  get #user(): { uid: number; gid: number } {
    const [uid = 0, gid = 0] = (this.#image.config.config.User ?? '').split(':').map(Number);
    return { uid, gid };
  }

  /** The configuration of runc. */
  #config(args: readonly string[], mounts: readonly Mount[], id: string): object {
    const { Env: env = [], WorkingDir: cwd = '/' } = this.#image.config.config;
    const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
    return {
      ociVersion: '1.0.2',
      root: { path: this.#root, readonly: true },
      hostname: 'operator',
      process: { args, env, cwd: cwd || '/', user: this.#user, capabilities: none, noNewPrivileges: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        {
          destination: '/dev',
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
        },
        // Node reads the memory's limit there.
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
        {
          destination: '/sys/fs/cgroup',
          type: 'cgroup',
          source: 'cgroup',
          options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
        },
        ...mounts.map(({ source, target }) => ({
          destination: target,
          type: 'bind',
          source,
          options: ['bind', 'ro'],
        })),
      ],
      linux: {
        cgroupsPath: `/${id}`,
        resources: { memory: { limit: MEMORY_LIMIT } },
        namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        maskedPaths: ['/proc/kcore', '/proc/keys'],
        readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
      },
    };
  }
}

function chartLimit(): number {
  const text = readFileSync(new URL('../../deploy/helm/values.yaml', import.meta.url), 'utf8');
  const { resources } = parse(text) as { resources: { limits: { memory: string } } };
  const mebibytes = /^(\d+)Mi$/.exec(resources.limits.memory)?.[1];
  if (mebibytes === undefined) throw new Error(`${resources.limits.memory} is not in Mi.`);
  return Number(mebibytes) * 2 ** 20;
}
