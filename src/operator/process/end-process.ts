import { type Clock, systemClock } from '../../lib/clock.ts';

/** How long a file or a host name that is being read may take before the process ends without it, in milliseconds. */
const BLOCKED_MS = 500;
const LOOK_MS = 10;

/**
 * Ends the process with this exit code. Node waits for its threads at the end, and one that reads from a dead file system or asks a
 * dead DNS server returns after minutes. The process then ends as by a signal, since nothing else is left to lose.
 */
export async function endProcess(code: number, clock: Clock = systemClock): Promise<never> {
  for (let waited = 0; isBlocked(); waited += LOOK_MS) {
    if (waited >= BLOCKED_MS) return endAtOnce();
    await clock.sleep(LOOK_MS);
  }
  return process.exit(code);
}

/** Whether one of the threads on which Node reads files and looks up names is at work. */
function isBlocked(): boolean {
  return process
    .getActiveResourcesInfo()
    .some((name) => /^(?:FSReq|GetAddrInfoReq|GetNameInfoReq)/.test(name));
}

function endAtOnce(): never {
  process.stderr.write('A file or a DNS server does not answer: the process ends without it.\n');
  // The kernel does not let the first process of a container be killed by its own signals; this ends it by a trap.
  if (process.pid === 1) return process.abort();
  process.kill(process.pid, 'SIGKILL');
  return process.abort();
}
