import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateRsaKey } from '../../src/x509/generate-rsa-key.ts';
import { createSigningRequest } from '../../src/x509/signing-request.ts';
import { startCAcertServer, startDevServer } from '../../tools/dev-server/index.ts';

const root = join(import.meta.dirname, '../..');

/** A program that issues one certificate. */
const program = `import { createTinyCertClient } from 'tinycert-operator/tinycert';
const { ENDPOINT: endpoint, CA: ca, EMAIL: email = '', PASSPHRASE: passphrase = '', KEY: apiKey = '' } = process.env;
const client = createTinyCertClient({ endpoint, ca, credentials: { email, passphrase, apiKey } });
const [authority] = await client.listAuthorities();
if (!authority) throw new Error('The account has no authority yet.');
const subject = { commonName: 'www.example.com', country: 'NL', organization: 'ACME, Inc.' };
const alternativeNames = [{ type: 'DNS' as const, value: 'www.example.com' }];
const id = await client.createCertificate({ authorityId: authority.id, subject, alternativeNames });
console.log(id, await client.getCertificate(id, 'chain'));
await client.close({ disconnect: true });
`;

/** A program that gets a certificate from CAcert for a request. */
const signing = `import { createCAcertClient, maybeExecuted } from 'tinycert-operator/cacert';
const { ENDPOINT: endpoint, CA: ca, USER: username = '', PASSWORD: password = '', CSR: csr = '' } = process.env;
const client = createCAcertClient({ endpoint, ca, credentials: { username, password } });
const { names, emails, encoding } = await client.getAccount();
const { certificate } = await client.signCertificate({ csr, emails, name: names[0], encoding });
await client.signCertificate({ csr, emails }).catch((error) => console.log(maybeExecuted(error), error.requestId));
console.log(certificate);
await client.close();
`;

/** The types refuse each statement after a comment. */
const mistakes = `import { createCAcertClient } from 'tinycert-operator/cacert';
import { createTinyCertClient, TinyCertError } from 'tinycert-operator/tinycert';
const client = createTinyCertClient({ credentials: { email: '', passphrase: '', apiKey: '' } });
// @ts-expect-error A part that does not exist.
await client.getCertificate(1, 'key');
// @ts-expect-error The archive is bytes, not text.
const archive: string = await client.getCertificate(1, 'pkcs12');
// @ts-expect-error No country.
await client.createCertificate({ authorityId: 1, subject: { commonName: '', organization: '' } });
// @ts-expect-error A code that does not exist.
console.log(archive, new TinyCertError('NotFound', { call: '' }).code === 'NotFond');
// @ts-expect-error A password is no credential.
createTinyCertClient({ credentials: { email: '', password: '', apiKey: '' } });
// @ts-expect-error No addresses.
await createCAcertClient({ credentials: { username: '', password: '' } }).signCertificate({ csr: '' });
`;

let folder: string;
let checkout: string;
let project: string;
let packed: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  checkout = join(folder, 'checkout');
  project = join(folder, 'project');
  await copyCheckout();
  await mkdir(join(checkout, 'dist/tinycert'), { recursive: true });
  await writeFile(join(checkout, 'dist/operator.js'), 'the operator');
  await writeFile(join(checkout, 'dist/tinycert/removed-since.js'), 'from an older build');
  await run('npm', ['pack', '--pack-destination', folder], checkout);
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const listed = await run('tar', ['-tzf', archive], folder);
  packed = listed
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));

  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const wanted = [join(folder, archive), `@types/node@${devDependencies['@types/node']}`];
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted], project);
  await writeFile(join(project, 'main.ts'), program);
  await writeFile(join(project, 'signing.ts'), signing);
  await writeFile(join(project, 'mistakes.ts'), mistakes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed clients', () => {
  test('contain the built clients, their types, license and changelog, and nothing else', async () => {
    const sources = (await Promise.all(['tinycert', 'cacert', 'http', 'lib'].map(sourcesOf))).flat();
    const built = packed.filter((path) => path.startsWith('dist/'));
    const papers = packed.filter((path) => !path.startsWith('dist/'));

    expect(papers.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(built).toContain('dist/tinycert/index.js');
    expect(built).toContain('dist/cacert/index.js');
    for (const path of built) expect(sources).toContain(path.replace(/\.(?:js|d\.ts)$/, ''));
    const modules = built.filter((path) => path.endsWith('.js')).map((path) => path.slice(0, -'.js'.length));
    expect(built.toSorted()).toEqual(modules.flatMap((name) => [`${name}.d.ts`, `${name}.js`]).toSorted());
  });

  test('were built without changing the operator', async () => {
    expect(await readFile(join(checkout, 'dist/operator.js'), 'utf8')).toBe('the operator');
  });

  test('have their own dependencies and no more', async () => {
    const installed = await readdir(join(project, 'node_modules'));

    const visible = installed.filter((name) => !name.startsWith('.'));
    expect(visible.toSorted()).toEqual(['@types', 'tinycert-operator', 'undici', 'undici-types', 'zod']);
  });

  test.each([
    ['nodenext', { module: 'nodenext' }],
    ['a bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('have types that compile without skipLibCheck, under %s', async (_, resolution) => {
    const compilerOptions = {
      ...resolution,
      target: 'es2024',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    const config = { compilerOptions, files: ['main.ts', 'signing.ts', 'mistakes.ts'] };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));

    expect(await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], project)).toBe('');
  });

  test('issue a certificate in ten lines, and the process ends by itself', async () => {
    const service = await startDevServer();
    try {
      const { endpoint, caPem, email, passphrase, apiKey } = service;
      const account = { ENDPOINT: endpoint, CA: caPem, EMAIL: email, PASSPHRASE: passphrase, KEY: apiKey };

      const printed = await run(process.execPath, ['main.ts'], project, account);

      const id = service.certificates().at(-1)?.id ?? 0;
      const [authority] = service.authorities();
      expect(printed).toBe(`${id} ${service.certificatePem(id)}${authority?.pem}\n`);
      const calls = ['connect', 'ca/list', 'cert/new', 'cert/get', 'disconnect'];
      expect(service.journal().map(({ call }) => call)).toEqual(calls);
      expect(program.trimEnd().split('\n')).toHaveLength(10);
    } finally {
      await service.stop();
    }
  });

  test('get a request signed by CAcert, and the process ends by itself', async () => {
    const service = await startCAcertServer();
    try {
      const { endpoint: ENDPOINT, caPem: CA, username: USER, password: PASSWORD } = service;
      const key = await generateRsaKey(2048, new AbortController().signal);
      const CSR = await createSigningRequest({ key, commonName: 'ignored' });
      service.addFault({ call: 'ccsr', kind: 'unsigned', after: 1 });

      const printed = await run(process.execPath, ['signing.ts'], project, {
        ENDPOINT,
        CA,
        USER,
        PASSWORD,
        CSR,
      });

      const [signed, waiting] = service.requests();
      expect(printed).toBe(`true ${waiting?.id}\n${service.certificatePem(signed?.id ?? 0)}\n`);
      const [{ firstName, lastName } = { firstName: '', lastName: '' }] = service.members();
      expect(signed?.cn).toBe(`${firstName} ${lastName}`);
      expect(service.journal().map(({ call }) => call)).toEqual(['cemails', 'ccsr', 'ccsr']);
    } finally {
      await service.stop();
    }
  });

  test.each([
    'tinycert-operator',
    'tinycert-operator/dist/tinycert/caller.js',
    'tinycert-operator/http',
    'tinycert-operator/lib',
  ])('offer no %s', async (specifier) => {
    const imported = run(process.execPath, ['--input-type=module', '-e', `import '${specifier}'`], project);

    await expect(imported).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

/** A checkout of its own, so packing does not disturb a build or run at the same time. */
async function copyCheckout(): Promise<void> {
  const left = new Set(['node_modules', 'dist', '.git'].map((name) => join(root, name)));
  await cp(root, checkout, { recursive: true, filter: (path) => !left.has(path) });
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
}

/** The modules of a folder of src, without tests, by their names in dist. */
async function sourcesOf(name: string): Promise<string[]> {
  const files = await readdir(join(root, 'src', name));
  const modules = files.filter((file) => file.endsWith('.ts') && !file.includes('.test.'));
  return modules
    .filter((file) => !file.startsWith('test-'))
    .map((file) => `dist/${name}/${basename(file, '.ts')}`);
}

/** The output of a program. Rejects with all of it if the program fails. */
function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    // Ends a hanging program before the test's limit, so nothing is left running.
    const options = { cwd, env: { ...environment(), ...env }, timeout: 100_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** This environment with this Node first in the path, and without the variables of an npm that runs this test. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(?:INIT_CWD|NODE_ENV|npm_(?:package|lifecycle|config_local_prefix).*)$/.test(name),
  );
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  return { ...Object.fromEntries(entries), PATH: path };
}
