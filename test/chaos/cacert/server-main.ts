/** The CAcert server of a run. It has a process of its own, so it outlives the others. Argument: the clock, `SPEED@EPOCH`. */
import { startCAcertServer } from '../../../tools/dev-server/index.ts';
import { runNow } from '../clock.ts';
import { MEMBERS } from './members.ts';

const [speed = 1, epoch = 0] = (process.argv[2] ?? '').split('@').map(Number);
const server = await startCAcertServer({
  now: () => runNow({ speed, epoch }),
  validity: '2h',
  members: MEMBERS.map((member) => ({ ...member, emails: [...member.emails] })),
});
const { endpoint, caPem, controlUrl, ca } = server;
process.on('SIGTERM', () => void server.stop());
console.log(JSON.stringify({ endpoint, caPem, controlUrl, rootPem: ca.rootPem }));
