/** The oldest Node that runs the operator, as in `engines` of package.json. */
const LEAST = { major: 24, minor: 11 };

/** States why the operator does not run on this version of Node, and what to do; undefined if it does. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)) return undefined;
  return `tinycert-operator needs Node ${LEAST.major}.${LEAST.minor} or later, and this is Node ${version}: in a checkout run npm run operator -- FLAGS, which uses the Node that npm ci has installed.`;
}
