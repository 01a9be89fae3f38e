import { RELEASE } from '../../../tools/chart/render.ts';

/** The operator's namespace. */
export const NAMESPACE = RELEASE;
