import { NAMESPACE } from './installation-names.ts';
import type { World } from './world.ts';

/** What a person would look at first after a failure. */
export async function diagnosis({ kubectl }: World): Promise<string[]> {
  const looks: [string, string[]][] = [
    ['Pods', ['get', 'pods', '--all-namespaces', '--output=wide']],
    ['Certificates', ['get', 'tinycertcertificates', '--all-namespaces', '--output=wide']],
    [
      'Log of the operator',
      [
        'logs',
        `--namespace=${NAMESPACE}`,
        '--selector=app.kubernetes.io/name=tinycert-operator',
        '--tail=15',
        '--prefix',
      ],
    ],
    [
      'Events',
      ['get', 'events', '--all-namespaces', '--field-selector=type=Warning', '--sort-by=.lastTimestamp'],
    ],
  ];
  const parts = await Promise.all(
    looks.map(async ([title, args]) => {
      const { stdout, stderr } = await kubectl
        .attempt(args)
        .catch((error: unknown) => ({ stdout: '', stderr: String(error) }));
      const lines = (stdout || stderr).trim().split('\n').slice(-20);
      return [`${title}:`, ...lines.map((line) => `  ${line}`)];
    }),
  );
  return parts.flat();
}
