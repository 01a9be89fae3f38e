import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/operator/version.ts';
import { labelsOf } from '../../tools/image/facts.ts';
import type { Built } from '../../tools/image/build-image.ts';
import type { Image } from '../../tools/image/inspect/archive.ts';
import { billComplaints } from '../../tools/image/inspect/bill.ts';
import {
  helpfulPrograms,
  leftSecrets,
  privilegedFiles,
  USER_ID,
  writableFiles,
  wrongLabels,
} from '../../tools/image/inspect/complaints.ts';
import { MEMORY_LIMIT, type UnpackedImage } from './container.ts';

/** One property of the image. */
export interface Check {
  name: string;
  /** Resolves with what is wrong. */
  run: () => Promise<string[]> | string[];
}

/** What the image's files and configuration have to be. `built` and `secrets` are known of an image that was built for this. */
export function checksOfFiles(image: Image, built: Built | undefined, secrets: readonly string[]): Check[] {
  const { files, config } = image;
  return [
    ...(built === undefined
      ? []
      : [{ name: 'labels', run: () => wrongLabels(config, labelsOf(built.facts, built.base)) }]),
    {
      name: `runs as user ${USER_ID}`,
      run: () => unequal('The user', config.config.User, `${USER_ID}:${USER_ID}`),
    },
    { name: 'no shell and no installer', run: () => helpfulPrograms(files) },
    { name: 'nothing that its user can write', run: () => writableFiles(files) },
    { name: 'no setuid and no setgid', run: () => privilegedFiles(files) },
    {
      name: 'the bill of materials is that of the bundle',
      run: () => billComplaints(files, installedVersion),
    },
    {
      name: 'licenses',
      run: () =>
        ['app/LICENSE', 'app/THIRD-PARTY-LICENSES.txt']
          .filter((path) => !files.has(path))
          .map((path) => `/${path} is missing.`),
    },
    ...(secrets.length === 0
      ? []
      : [{ name: "nothing of the build's registry", run: () => leftSecrets(image, secrets) }]),
  ];
}

/** What running it has to show: read-only root, no capabilities, no new privileges. */
export function checksOfRuns(image: UnpackedImage): Check[] {
  return [
    {
      name: '--version',
      run: async () => unequal('Its output', (await image.run(['--version'])).stdout, `${version}\n`),
    },
    {
      name: '--help',
      run: async () => {
        const { code, stdout } = await image.run(['--help']);
        return code === 0 && stdout.includes('--kubeconfig') ? [] : [`It ended with ${code}: ${stdout}`];
      },
    },
    {
      name: 'no rights while it runs',
      run: async () => {
        const { stdout, stderr } = await image.run(['-e', PROBE], image.node);
        return unequal('The process', stdout.trim() || stderr, EXPECTED);
      },
    },
    {
      name: 'the heap leaves room for all else in the memory',
      run: async () => {
        const { stdout } = await image.run(['-p', 'v8.getHeapStatistics().heap_size_limit'], image.node);
        const most = MEMORY_LIMIT * MOST_OF_MEMORY;
        return Number(stdout) <= most
          ? []
          : [`The heap may have ${stdout.trim()} bytes, and should have ${most} at most.`];
      },
    },
    {
      name: '/bin/sh cannot be run',
      run: async () => {
        const { code, stderr } = await image.run(['-c', 'true'], ['/bin/sh']);
        return code !== 0 && stderr.includes('no such file') ? [] : [`It ended with ${code}: ${stderr}`];
      },
    },
  ];
}

/** Of the memory's limit, the part that V8 may fill before it ends the process. */
const MOST_OF_MEMORY = 0.6;

/** Prints user, groups, capabilities, whether more can be had, and whether a file can be written where everyone may. */
const PROBE = `
const { readFileSync, writeFileSync } = require('node:fs');
const status = readFileSync('/proc/self/status', 'utf8');
const field = (name) => status.match(new RegExp('^' + name + ':\\\\s*(.*)$', 'm'))[1];
const write = (file) => { try { writeFileSync(file, ''); return 'written'; } catch (error) { return error.code; } };
console.log(JSON.stringify({
  uid: process.getuid(), groups: process.getgroups(),
  capabilities: ['CapPrm', 'CapEff', 'CapBnd'].map(field), noNewPrivileges: field('NoNewPrivs'),
  files: ['/tmp/x', '/app/x', '/home/nonroot/x'].map(write),
}));`;

const NO_CAPABILITY = '0'.repeat(16);
const EXPECTED = JSON.stringify({
  uid: USER_ID,
  groups: [USER_ID],
  capabilities: [NO_CAPABILITY, NO_CAPABILITY, NO_CAPABILITY],
  noNewPrivileges: '1',
  files: ['EROFS', 'EROFS', 'EROFS'],
});

function unequal(what: string, found: string | undefined, expected: string): string[] {
  return found === expected ? [] : [`${what} is ${found ?? 'not set'}, and should be ${expected}.`];
}

/** The build in the image installs by the same lock file, so the version is the one here. */
function installedVersion(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}
