/** A run that starts a node, says `ready`, and waits to be killed. For the test of what is left after that. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isolate, makePremises } from '../../tools/node/isolation.ts';
import type { Orders } from './inside.ts';
import { eventOf } from './result.ts';
import type { Supplies } from './world/world.ts';

const supplies = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Supplies;
const premises = await makePremises();
const orders: Orders = {
  folder: premises.folder,
  name: premises.name,
  supplies,
  only: undefined,
  keep: true,
};
const file = join(premises.folder, 'orders.json');
await writeFile(file, JSON.stringify(orders));
const { exited } = await isolate(premises, [fileURLToPath(new URL('inside.ts', import.meta.url)), file], {
  stderrFile: join(premises.folder, 'inside.log'),
  onLine(line) {
    const event = eventOf(line);
    if (event.kind === 'kept') console.log('ready');
    if (event.kind === 'failed') console.log(event.error);
  },
});
await exited;
await premises.reaper.close();
