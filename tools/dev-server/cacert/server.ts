/** Assembles the CAcert server: the site with its two scripts, its authorities, its control URL. */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { writeCaFile } from '../http/ca-file.ts';
import { Faults } from '../faults/faults.ts';
import { Gate } from '../faults/gate.ts';
import { Journal } from '../state/journal.ts';
import { Listener } from '../http/listener.ts';
import { Tasks } from '../tasks.ts';
import { serverIdentity } from '../http/tls.ts';
import { type Undo, undoable } from '../undo.ts';
import { pem } from '../x509/x509.ts';
import { control } from './control.ts';
import { exchange } from './exchange.ts';
import { createHierarchy } from './hierarchy.ts';
import { madeUpPassword, memberOf } from './members.ts';
import { createOperations } from './operations.ts';
import { isDefect } from './plan.ts';
import type { Service } from './service.ts';
import { defaultSettings, withOptions } from './settings.ts';
import { Signer } from './signer.ts';
import type {
  CAcertFault,
  CAcertJournalEntry,
  CAcertMemberPreset,
  CAcertServer,
  CAcertServerOptions,
} from './types.ts';

/** Starts a server on 127.0.0.1. Rejects for an invalid option (RangeError) and a port in use. */
export function startCAcertServer(options: CAcertServerOptions = {}): Promise<CAcertServer> {
  return undoable((undo, stop) => start(options, undo, stop));
}

async function start(
  options: CAcertServerOptions,
  undo: Undo[],
  stop: () => Promise<void>,
): Promise<CAcertServer> {
  const settings = withOptions(defaultSettings(), options);
  const members = (options.members ?? [madeUp()]).map(memberOf);
  const [first] = members;
  if (!first) throw new RangeError('at least one member is needed');
  const now = options.now ?? Date.now;
  const protocol = options.protocol ?? 'https';
  const tasks = new Tasks();
  undo.push(() => tasks.settled());

  const controlServer = createHttpServer();
  const controlListener = new Listener(controlServer, options.controlPort ?? 0);
  await controlListener.open();
  undo.push(() => controlListener.close());
  const controlUrl = `http://127.0.0.1:${controlListener.port}`;

  // Clients check the certificate against the real time, even if a test sets another.
  const seconds = Math.floor(Math.min(now(), Date.now()) / 1000);
  const hierarchy = await createHierarchy(seconds, controlUrl);
  const stopping = new AbortController();
  const service: Service = {
    settings,
    members,
    hierarchy,
    signer: new Signer(hierarchy, now, `${controlUrl}/ocsp`),
    journal: new Journal<CAcertJournalEntry>(0),
    faults: new Faults<CAcertFault>(options.faults, canAffect),
    gate: new Gate(),
    tasks,
    now,
    ownHosts: [],
    protocol,
    stopping: stopping.signal,
  };
  const apiServer =
    protocol === 'http'
      ? createHttpServer()
      : createHttpsServer(await serverIdentity(hierarchy.class1, seconds));
  const api = new Listener(apiServer, options.port ?? 0);
  const operations = createOperations(service, api);
  apiServer.on('request', (request, response) => {
    tasks.run(exchange(service, request, response), () => request.socket.destroy());
  });
  controlServer.on('request', (request, response) => {
    tasks.run(control(service, operations, request, response), () => request.socket.destroy());
  });
  const ca = {
    rootPem: pem('CERTIFICATE', hierarchy.class1.der),
    class3Pem: pem('CERTIFICATE', hierarchy.class3.der),
  };
  const caPem = ca.rootPem + ca.class3Pem;
  const caFile = await writeCaFile(caPem, options.caFile, undo);
  await api.open();
  undo.push(() => api.close());
  service.ownHosts = [`127.0.0.1:${api.port}`, `localhost:${api.port}`];
  undo.push(async () => stopping.abort(new Error('The CAcert server stops')));

  return {
    ...operations,
    endpoint: `${protocol}://127.0.0.1:${api.port}/api/`,
    caFile,
    caPem,
    ca,
    controlUrl,
    username: first.username,
    password: first.password,
    stop,
  };
}

function madeUp(): CAcertMemberPreset {
  return {
    username: 'dev@example.com',
    password: madeUpPassword(),
    firstName: 'Dev',
    lastName: 'Example',
    emails: ['dev@example.com', 'dev@example.org'],
  };
}

/** Whether the call's answer can show the effect. */
function canAffect(fault: CAcertFault, call: string): boolean {
  if (fault.kind === 'raw-names') return call === 'cemails';
  const isOfIssuing = isDefect(fault) || fault.kind === 'no-certificate' || fault.kind === 'unsigned';
  return !isOfIssuing || call === 'ccsr';
}
