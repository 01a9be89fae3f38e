/** A run that starts a node, says `ready`, and waits to be killed. For the test of what is left after that. */
import { readFile } from 'node:fs/promises';
import { makePremises } from '../../tools/node/isolation.ts';
import { runIsolated } from './isolated.ts';
import type { Supplies } from './world/world.ts';

const supplies = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Supplies;
const premises = await makePremises();
const { folder, name } = premises;
await runIsolated(premises, { folder, name, supplies, only: undefined, keep: true }, (event) => {
  if (event.kind === 'kept') console.log('ready');
  if (event.kind === 'failed') console.log(event.error);
});
await premises.reaper.close();
