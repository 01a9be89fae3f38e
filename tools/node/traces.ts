import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from './run.ts';

/** What a run could leave on a machine, each as lines that can be compared. */
export type Traces = Readonly<Record<string, readonly string[]>>;

/** Values of the whole machine that a node's programs could change. */
const SYSCTLS = [
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/forwarding',
  'net/ipv4/conf/all/route_localnet',
  'net/ipv6/conf/all/forwarding',
  'net/bridge/bridge-nf-call-iptables',
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
];

/** Words that show that a mount belongs to a node. Other programs of the machine may mount meanwhile. */
const MOUNT_WORDS = ['kubelet', 'containerd', 'cni', 'netns', 'pods0'];

/**
 * Reads what this machine has now. The network, its firewall and the kernel's values are read whole; mounts, processes, cgroups and
 * folders as far as `mark`, the beginning of all runs' names, or another word of a node is in them.
 */
export async function readTraces(mark: string): Promise<Traces> {
  const [links, namespaces, firewall4, firewall6] = await Promise.all([
    lines('ip', ['-brief', 'link']),
    lines('ip', ['netns', 'list']),
    lines('iptables-save', []),
    lines('ip6tables-save', []),
  ]);
  return {
    links: links.map((line) => line.split(/\s+/u)[0] ?? ''),
    'network namespaces': namespaces,
    firewall: [...firewall4, ...firewall6].filter((line) => !line.startsWith('#')).map(withoutCounters),
    sysctls: await sysctls(),
    mounts: nodeMounts(await readFile('/proc/mounts', 'utf8'), mark),
    processes: await processesOf(mark),
    cgroups: await foldersIn('/sys/fs/cgroup', mark, 2),
    folders: [
      ...(await foldersIn(tmpdir(), mark, 1)),
      ...(await foldersIn('/var/lib', 'cni', 1)),
      ...(await foldersIn('/run/netns', 'cni', 1)),
    ],
  };
}

/** What `after` has and `before` has not, and the other way round, as lines for a person. */
export function differences(before: Traces, after: Traces): string[] {
  return Object.keys(before).flatMap((kind) => {
    const [was, is] = [before[kind] ?? [], after[kind] ?? []];
    return [
      ...is.filter((line) => !was.includes(line)).map((line) => `${kind}: new: ${line}`),
      ...was.filter((line) => !is.includes(line)).map((line) => `${kind}: gone: ${line}`),
    ];
  });
}

/** The mounts of a node, from the text of /proc/mounts. */
export function nodeMounts(mounts: string, mark: string): string[] {
  return mounts.split('\n').filter((line) => [mark, ...MOUNT_WORDS].some((word) => line.includes(word)));
}

/** A chain's line of iptables-save counts packets: `:INPUT ACCEPT [12:3456]`. */
export function withoutCounters(line: string): string {
  return line.replace(/ \[[0-9]+:[0-9]+\]$/u, '');
}

async function lines(program: string, args: readonly string[]): Promise<string[]> {
  const { stdout } = await attempt(program, args);
  return stdout.split('\n').filter((line) => line !== '');
}

async function sysctls(): Promise<string[]> {
  const values = await Promise.all(
    SYSCTLS.map((name) => readFile(`/proc/sys/${name}`, 'utf8').catch(() => 'none\n')),
  );
  return SYSCTLS.map((name, index) => `${name} = ${(values[index] ?? '').trim()}`);
}

/** The command lines of all processes with that word in their arguments or their working folder. */
async function processesOf(mark: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter(
    (name) => /^[0-9]+$/u.test(name) && Number(name) !== process.pid,
  );
  const found = await Promise.all(
    ids.map(async (id) => {
      const command = (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
      const folder = await readlink(`/proc/${id}/cwd`).catch(() => '');
      return command.includes(mark) || folder.includes(mark) ? [`${id} ${command.slice(0, 200)}`] : [];
    }),
  );
  return found.flat();
}

/** Folders with that word in their names, down to a depth. */
async function foldersIn(folder: string, word: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => [
        ...(name.includes(word) ? [join(folder, name)] : []),
        ...(depth > 1 ? await foldersIn(join(folder, name), word, depth - 1) : []),
      ]),
  );
  return found.flat();
}
