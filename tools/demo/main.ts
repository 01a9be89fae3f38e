import { parseArgs } from 'node:util';
import { CAcertDemo } from './cacert-demo.ts';
import type { Show } from './parts.ts';
import { TinyCertDemo } from './tinycert-demo.ts';

const help = `npm run demo [-- --cacert] [-- --once]

Shows the operator at work on real parts: etcd and kube-apiserver, a server that speaks the TinyCert API over TLS, and
the operator as a process of its own. Everything listens on loopback and is gone at the end.

  --cacert A client certificate from a server that speaks the CAcert API, used for TLS and for mail.
  --once   Exit after the last step; without it all stays up until Ctrl-C.
  --help   Print this.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cacert: { type: 'boolean' },
      once: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const demo: Show = values.cacert ? new CAcertDemo() : new TinyCertDemo();
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  try {
    const shown = demo.show().then(() => 'shown' as const);
    // After Ctrl-C the steps fail in some way, and nothing waits for them any more.
    shown.catch(() => undefined);
    if ((await Promise.race([shown, interrupted])) !== 'shown') return 130;
    if (values.once) return 0;
    demo.explain();
    await interrupted;
    return 0;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    for (const line of demo.parts.operatorLines) console.error(`  ${line}`);
    return 1;
  } finally {
    await demo.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)} Try --help.`);
  process.exitCode = 2;
}
