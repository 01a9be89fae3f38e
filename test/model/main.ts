/** Searches the model further than the tests do. See --help. */
import { parseArgs } from 'node:util';
import { countOf, WrongArguments } from './arguments.ts';
import { tell } from './breadth-first.ts';
import { type Case, cases, limits } from './cases.ts';
import { searchJournal } from './journal/command.ts';
import { type RuleName, ruleNames, sentenceOf } from './rules.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { search } from './search.ts';

const HELP = `node test/model/main.ts [options]

Searches the model of the issuance protocol for the shortest way to break a guarantee.

  --scenario NAME    one of the scenarios below (default: all)
  --events N         how many events (crashes, losses, people) a run may have (default: the scenario's)
  --depth N          how many steps from the start at most
  --states N         how many states at most (default 5000000; a million take about 700 MB)
  --processes N      1 or 2 (default: the scenario's)
  --off RULE,RULE    switches rules off
  --only INVARIANT   looks for one invariant alone
  --explain RULE     tells what breaks without a rule, in the smallest world
  --limits           tells what breaks with all rules on
  --journal          the model of the journal protocol instead, with options of its own (--journal --help)
  --help             this

Invariants: doubled, lost, wrongOwner, foreignAdopted, foreignReissued, foreignRevoked, rekeyed, secretFell,
misreported, stuck.

Exit codes: 0 nothing found, 1 something found, 2 wrong arguments.
`;

function main(args: readonly string[]): number {
  if (args.includes('--journal')) return searchJournal(args.filter((arg) => arg !== '--journal'));
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      scenario: { type: 'string' },
      events: { type: 'string' },
      depth: { type: 'string' },
      states: { type: 'string' },
      processes: { type: 'string' },
      off: { type: 'string' },
      only: { type: 'string' },
      explain: { type: 'string' },
      limits: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    const rules = ruleNames.map((name) => `  ${name.padEnd(20)} ${sentenceOf(name)}`);
    const worlds = Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(20)} ${about}`);
    console.log(`${HELP}\nScenarios:\n${worlds.join('\n')}\n\nRules:\n${rules.join('\n')}`);
    return 0;
  }
  if (values.limits) return show(limits.map((limit) => ({ off: [], title: limit.about, ...limit })));
  if (values.explain !== undefined) {
    const rule = ruleOf(values.explain);
    return show(
      cases
        .filter(({ off }) => off[0] === rule)
        .map((found) => ({ title: `without ${found.off.join(', ')}`, ...found })),
    );
  }
  const bounds = {
    depth: countOf('depth', values.depth) ?? Infinity,
    states: countOf('states', values.states) ?? 5_000_000,
    ...(values.only === undefined ? {} : { only: values.only }),
  };
  const off = values.off?.split(',').map(ruleOf) ?? [];
  const most = countOf('events', values.events);
  const processes = processesOf(values.processes);
  const chosen = scenariosOf(values.scenario);
  let found = 0;
  for (const [name, scenario] of chosen) {
    const world: Scenario = {
      ...scenario,
      ...(most === undefined ? {} : { most }),
      ...(processes ? { processes } : {}),
    };
    const start = performance.now();
    const { states, depth, isComplete, finding } = search(world, off, bounds);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const extent = finding ? 'broken' : isComplete ? 'all states seen' : 'not all states seen';
    console.log(`${name}: ${states} states, ${depth} steps deep, ${extent}, ${seconds} s`);
    if (finding) console.log(tell(finding));
    if (finding) found = 1;
  }
  return found;
}

interface Example extends Pick<Case, 'world' | 'breaks' | 'isOnly'> {
  title: string;
  off: readonly RuleName[];
}

function show(examples: readonly Example[]): number {
  for (const { title, off, world, breaks, isOnly } of examples) {
    const { finding } = search(world, off, isOnly ? { only: breaks } : {});
    console.log(`${title}:\n${finding ? tell(finding) : 'nothing breaks'}\n`);
  }
  if (examples.length === 0)
    console.log('Nothing breaks without it; it saves a certificate, or work in vain.');
  return examples.length === 0 ? 0 : 1;
}

function ruleOf(text: string): RuleName {
  const rule = ruleNames.find((name) => name === text);
  if (!rule) throw new WrongArguments(`There is no rule ${text}.`);
  return rule;
}

function scenariosOf(text: string | undefined): [string, Scenario][] {
  const all = Object.entries<Scenario>(scenarios);
  const chosen = text === undefined ? all : all.filter(([name]) => name === text);
  if (chosen.length === 0) throw new WrongArguments(`There is no scenario ${text}.`);
  return chosen;
}

function processesOf(text: string | undefined): 1 | 2 | undefined {
  if (text === undefined) return undefined;
  if (text !== '1' && text !== '2') throw new WrongArguments('--processes takes 1 or 2.');
  return text === '1' ? 1 : 2;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  const isOurs = error instanceof WrongArguments || (error instanceof TypeError && 'code' in error);
  if (!isOurs) throw error;
  console.error(`${error.message}\nSee --help.`);
  process.exitCode = 2;
}
