/** Assembles the dev server: the service, its API, its control URL. */
import { type RequestListener, type Server, createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { otherAccount, ownAccount, seedAuthorities } from './state/accounts.ts';
import type { ApiContext } from './http/answer.ts';
import { writeCaFile } from './http/ca-file.ts';
import type { Service } from './calls/call.ts';
import { control } from './control/control.ts';
import { exchange } from './calls/exchange.ts';
import { Faults, canAffect } from './faults/faults.ts';
import { Gate } from './faults/gate.ts';
import { seconds } from './calls/issuing.ts';
import { Journal } from './state/journal.ts';
import { KeyPool } from './x509/keys.ts';
import { Listener } from './http/listener.ts';
import { createOperations } from './control/operations.ts';
import { RateLimit } from './state/rate-limit.ts';
import { API_PATH } from './calls/router.ts';
import { Sessions } from './state/sessions.ts';
import { defaultSettings, withOptions } from './settings.ts';
import { StateFile, loadState } from './state/state-file.ts';
import { Store } from './state/store.ts';
import { Tasks } from './tasks.ts';
import { createTlsAuthority, serverIdentity } from './http/tls.ts';
import type { DevServer, DevServerOptions } from './types.ts';
import { type Undo, undoable } from './undo.ts';
import { pem } from './x509/x509.ts';

/** Starts a server. Rejects for an invalid option (RangeError) and a port in use. */
export function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  return undoable((undo, stop) => start(options, undo, stop));
}

async function start(options: DevServerOptions, undo: Undo[], stop: () => Promise<void>): Promise<DevServer> {
  const store = new Store();
  const keys = new KeyPool({ size: options.keyPool ?? 0, reuse: options.keyPoolReuse ?? false });
  const service: Service = {
    store,
    keys,
    settings: withOptions(defaultSettings(), options),
    now: options.now ?? Date.now,
    urlBase: '',
    sessions: new Sessions(),
    rateLimit: new RateLimit(),
    turns: 0,
  };
  const { stateFile, host = '127.0.0.1' } = options;
  const kept = stateFile === undefined ? undefined : await loadState(stateFile, store);
  const tls = kept?.tls ?? (await createTlsAuthority(seconds(service)));
  const account = ownAccount(store, options);
  const other = otherAccount(store);
  const stopping = new AbortController();
  const journal = new Journal(kept?.lastSeq ?? 0);
  const faults = new Faults(options.faults, canAffect);
  const context: ApiContext = {
    service,
    journal,
    faults,
    gate: new Gate(),
    lastAnswers: new Map(),
    stopping: stopping.signal,
  };

  const tasks = new Tasks();
  const identity =
    options.protocol === 'http' ? undefined : await serverIdentity(tls, seconds(service), host);
  const apiServer: Server = identity ? createHttpsServer(identity) : createHttpServer();
  // Each answer announces it (`Keep-Alive: timeout=65`), so a client need not reconnect for every burst.
  apiServer.keepAliveTimeout = 65_000;
  const api = new Listener(apiServer, options.port ?? 0, host);
  const operations = createOperations(context, account, api);
  apiServer.on('request', ((request, response) => {
    tasks.run(exchange(context, request, response), () => request.socket.destroy());
  }) satisfies RequestListener);
  const controlServer = createHttpServer((request, response) => {
    tasks.run(control(context, operations, request, response), () => request.socket.destroy());
  });
  const controlListener = new Listener(controlServer, options.controlPort ?? 0);

  undo.push(() => tasks.settled());
  undo.push(() => keys.close());
  await controlListener.open();
  undo.push(() => controlListener.close());
  service.urlBase = `http://127.0.0.1:${controlListener.port}`;

  const [first, othersFirst] = await seedAuthorities(service, account, other, options.authorities);
  await keys.fill();
  const caPem = identity ? pem('CERTIFICATE', tls.der) : '';
  const caFile = caPem === '' ? '' : await writeCaFile(caPem, options.caFile, undo);
  if (stateFile !== undefined) {
    const state = new StateFile(stateFile, store, () => ({ tls, lastSeq: journal.lastSeq }));
    store.onChange = () => state.schedule();
    state.schedule();
    await state.flush();
    undo.unshift(() => state.flush());
  }
  await api.open();
  undo.push(() => api.close());
  undo.push(async () => stopping.abort(new Error('The dev server stops')));

  return {
    ...operations,
    endpoint: `${identity ? 'https' : 'http'}://${host}:${api.port}${API_PATH}`,
    caFile,
    caPem,
    controlUrl: service.urlBase,
    authorityId: first.id,
    email: account.email,
    get passphrase() {
      return account.passphrase;
    },
    get apiKey() {
      return account.apiKey;
    },
    otherAccount: {
      email: other.email,
      passphrase: other.passphrase,
      apiKey: other.apiKey,
      authorityId: othersFirst.id,
    },
    stop,
  };
}
