/** Says in one line why not all figures of a summary come from the cgroup. */
import type { HostFacts } from '../host/index.js';
import type { ProcessControlLoad } from '../kernel/process-control.js';
import { listOf } from './format.js';
import type { Measurement } from './measurement.js';
import { sourcesOf } from './summary.js';
import type { Placement } from './tier.js';

export function degradedReason(
  totals: Measurement,
  placement: Placement | null,
  addon: ProcessControlLoad,
  facts: HostFacts,
  /** `--memory-max` was given, and the kernel does not enforce it. */
  samplesMemoryLimit: boolean,
): string | null {
  const sources = Object.entries(sourcesOf(totals));
  const named = (wanted: string) =>
    listOf(sources.filter(([, source]) => source === wanted).map(([part]) => part));
  const degraded = named('proc');
  const absent = named('unavailable');
  if (degraded === '' && absent === '') return null;
  const parts = [placement?.reason ?? 'the cgroup did not tell everything'];
  if (degraded !== '') parts.push(`${degraded} from /proc`);
  if (absent !== '') parts.push(`${absent} not available`);
  if (absent !== '' && facts.proc.reason !== null) parts.push(facts.proc.reason);
  if (samplesMemoryLimit) {
    parts.push(
      '--memory-max is checked with every sample: a burst between two samples is not stopped',
    );
  }
  if (addon.control === null) {
    parts.push('without the addon there is no subreaper: what orphans did may be missing');
  }
  return parts.join('; ');
}
