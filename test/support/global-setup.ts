import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The workloads are C programs, so that what they report of themselves is the kernel's word. */
export default function buildWorkloads(): void {
  const script = fileURLToPath(new URL('../workloads/build.sh', import.meta.url));
  execFileSync('bash', [script], { stdio: ['ignore', 'ignore', 'inherit'] });
}
