import { helmTrial } from './helm.ts';
import { ingressTrial } from './ingress.ts';
import { installYamlTrial } from './install-yaml.ts';
import { killedPodTrial } from './killed-pod.ts';
import { leaderTrial } from './leader.ts';
import { namespacedTrial } from './namespaced.ts';
import { renewalTrial } from './renewal.ts';
import { rolesTrial } from './roles.ts';
import { sigtermTrial } from './sigterm.ts';
import type { Trial } from './trial.ts';
import { uninstallTrial } from './uninstall.ts';
import { upgradeTrial } from './upgrade.ts';

/** All tests in the order of a run: those that share an installation are together. */
export const TRIALS: readonly Trial[] = [
  upgradeTrial,
  helmTrial,
  rolesTrial,
  ingressTrial,
  renewalTrial,
  killedPodTrial,
  sigtermTrial,
  leaderTrial,
  uninstallTrial,
  namespacedTrial,
  installYamlTrial,
];
