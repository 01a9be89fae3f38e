import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlPlaneError } from '../control-plane/errors.ts';
import { isExecutable } from '../control-plane/executable.ts';
import { CNI_PLUGINS } from './configs.ts';

/** A program that a node needs and that is not built, and the Debian package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  mount: 'mount',
  tar: 'tar',
  find: 'findutils',
  ip: 'iproute2',
  iptables: 'iptables',
  'iptables-save': 'iptables',
  runc: 'runc',
};

const CNI = ['bridge', 'host-local', 'loopback'];

/** What a machine has. A test replaces it. */
export interface Machine {
  platform: string;
  isRoot: boolean;
  /** Whether there is a program of that name in PATH. */
  hasProgram(name: string): Promise<boolean>;
  hasFile(path: string): Promise<boolean>;
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  async hasProgram(name) {
    const folders = (process.env['PATH'] ?? '').split(':');
    const found = await Promise.all(folders.map((folder) => isExecutable(join(folder, name))));
    return found.includes(true);
  },
  hasFile: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

/**
 * `more` are further programs that a run needs, and their packages. @throws ControlPlaneError that says in one sentence what is
 * missing, and how to get it.
 */
export async function requireMachine(
  more: Readonly<Record<string, string>> = {},
  machine: Machine = THIS_MACHINE,
): Promise<void> {
  const refuse = (message: string, remedy: string): never => {
    throw new ControlPlaneError('BinariesMissing', message, [remedy]);
  };
  if (machine.platform !== 'linux')
    refuse('A node runs on Linux only.', 'Start Docker; then kind is used instead.');
  if (!machine.isRoot) {
    refuse('A node is started by root only.', 'Use sudo, or start Docker; then kind is used instead.');
  }
  const packages = new Set<string>();
  for (const [name, owner] of Object.entries({ ...PROGRAMS, ...more })) {
    if (!(await machine.hasProgram(name))) packages.add(owner);
  }
  for (const name of CNI) {
    if (!(await machine.hasFile(join(CNI_PLUGINS, name)))) packages.add('containernetworking-plugins');
  }
  if (packages.size === 0) return;
  const list = [...packages].join(' ');
  refuse(
    `This needs packages of Debian that are missing: ${list}.`,
    `apt-get install --yes --no-install-recommends ${list}`,
  );
}
