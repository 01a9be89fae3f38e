/** A CA of a run. It has a process of its own, so it outlives the others. Argument: the clock, `SPEED@EPOCH`. */
import { startDevServer } from '../../tools/dev-server/index.ts';
import { runNow } from './clock.ts';
import { AUTHORITIES } from './issuers.ts';

const [speed = 1, epoch = 0] = (process.argv[2] ?? '').split('@').map(Number);
const server = await startDevServer({
  now: () => runNow({ speed, epoch }),
  validity: '2h',
  keyPool: 48,
  // One e-mail address at each CA: only the endpoint tells their accounts apart.
  email: 'ops@chaos.test',
  authorities: AUTHORITIES.map((organization) => ({ organization, country: 'NL' })),
});
const { endpoint, caPem, controlUrl, email, passphrase, apiKey } = server;
process.on('SIGTERM', () => void server.stop());
console.log(JSON.stringify({ endpoint, caPem, controlUrl, email, passphrase, apiKey }));
