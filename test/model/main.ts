/** Searches the model further than the tests do. See --help. */
import { parseArgs } from 'node:util';
import { countOf, WrongArguments } from './arguments.ts';
import { type Finding, tell } from './search/breadth-first.ts';
import type { Case } from './cases/case.ts';
import { cases } from './cases/cases.ts';
import { judge, wantedOf } from './cases/judge.ts';
import { type RuleName, ruleNames, sentenceOf } from './rules.ts';
import type { Scenario } from './cases/scenarios.ts';
import { search } from './search/search.ts';
import { limits, scenarios } from './cases/worlds.ts';

const HELP = `npm run model -- [options]

Searches the model of the issuance protocol for the shortest way to break a guarantee.

  --world NAME       one of the worlds below (default: all)
  --events N         how many events a run may have (default: the world's)
  --depth N          how many steps from the start at most
  --states N         how many states at most (default 1000000; a million take about 2 GB)
  --processes N      1, 2 or 3 (default: the world's)
  --off RULE,RULE    switches rules off
  --only INVARIANT   looks for one invariant alone
  --explain RULE     tells what breaks without a rule, in the smallest world
  --cases            searches every case, those too that take too long for the tests
  --limits           tells what breaks with all rules on
  --help             this

Invariants: doubled, lost, wrongOwner, wrongNames, foreignAdopted, foreignReissued, foreignRevoked,
servedRevoked, secretFell, rekeyed, misreported, stuck.

Exit codes: 0 nothing found, or every case as it should be; 1 something found; 2 wrong arguments.
`;

const options = {
  world: { type: 'string' },
  events: { type: 'string' },
  depth: { type: 'string' },
  states: { type: 'string' },
  processes: { type: 'string' },
  off: { type: 'string' },
  only: { type: 'string' },
  explain: { type: 'string' },
  cases: { type: 'boolean' },
  limits: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function main(args: readonly string[]): number {
  const { values } = parseArgs({ args: args.filter((arg) => arg !== '--'), options });
  if (values.help) return help();
  if (values.cases) return cases.filter((example) => !isAsItShouldBe(example)).length === 0 ? 0 : 1;
  if (values.limits) {
    for (const limit of limits) show(limit.about, findingOf({ ...limit, off: [] }));
    return 1;
  }
  if (values.explain !== undefined) {
    const rule = ruleOf(values.explain);
    const shown = cases.filter(({ off }) => off.includes(rule));
    for (const example of shown) show(`without ${example.off.join(', ')}`, findingOf(example));
    if (shown.length === 0) console.log('Nothing breaks without it within the bounds of the search.');
    return shown.length === 0 ? 0 : 1;
  }
  const bounds = {
    depth: countOf('depth', values.depth) ?? Infinity,
    states: countOf('states', values.states) ?? 1_000_000,
    ...(values.only === undefined ? {} : { only: values.only }),
  };
  const off = values.off?.split(',').map(ruleOf) ?? [];
  const most = countOf('events', values.events);
  const processes = processesOf(values.processes);
  let code = 0;
  for (const [name, scenario] of scenariosOf(values.world)) {
    const world: Scenario = {
      ...scenario,
      ...(most === undefined ? {} : { most }),
      ...(processes ? { processes } : {}),
    };
    const start = performance.now();
    const { states, depth, isComplete, finding } = search(world, off, bounds);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const extent = finding ? 'broken' : isComplete ? 'all states seen' : 'not all states seen';
    show(`${name}: ${states} states, ${depth} steps deep, ${extent}, ${seconds} s`, finding);
    if (finding) code = 1;
  }
  return code;
}

function help(): number {
  const rules = ruleNames.map((name) => `  ${name.padEnd(20)} ${sentenceOf(name)}`);
  const worlds = Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(20)} ${about}`);
  console.log(`${HELP}\nWorlds:\n${worlds.join('\n')}\n\nRules:\n${rules.join('\n')}`);
  return 0;
}

function show(title: string, finding: Finding | undefined): void {
  console.log(finding ? `${title}\n${tell(finding)}\n` : title);
}

function findingOf({
  world,
  off,
  breaks,
  isOnly,
}: Omit<Case, 'off'> & { off: readonly RuleName[] }): Finding | undefined {
  return search(world, off, isOnly ? { only: breaks } : {}).finding;
}

/** Whether a case breaks as it says. */
function isAsItShouldBe(example: Case): boolean {
  const judgement = judge(findingOf(example), example);
  const isRight = JSON.stringify(judgement) === JSON.stringify(wantedOf(example));
  const { breaks = 'nothing', steps, untold } = judgement;
  console.log(
    `${isRight ? 'as stated' : 'DIFFERS'}: without ${example.off.join(', ')} ${breaks} after ${steps} steps ${untold.join(' ')}`,
  );
  return isRight;
}

function ruleOf(text: string): RuleName {
  const rule = ruleNames.find((name) => name === text);
  if (!rule) throw new WrongArguments(`There is no rule ${text}.`);
  return rule;
}

function scenariosOf(text: string | undefined): [string, Scenario][] {
  const all = Object.entries<Scenario>(scenarios);
  const chosen = text === undefined ? all : all.filter(([name]) => name === text);
  if (chosen.length === 0) throw new WrongArguments(`There is no world ${text}.`);
  return chosen;
}

function processesOf(text: string | undefined): 1 | 2 | 3 | undefined {
  const count = countOf('processes', text);
  if (count === undefined || count === 1 || count === 2 || count === 3) return count;
  throw new WrongArguments('--processes takes 1, 2 or 3.');
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  const isOurs = error instanceof WrongArguments || (error instanceof TypeError && 'code' in error);
  if (!isOurs) throw error;
  console.error(`${error.message}\nSee --help.`);
  process.exitCode = 2;
}
