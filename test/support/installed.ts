import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest: { readonly files: string[]; readonly dependencies: Record<string, string> } =
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Installs the package as built, without what its install builds, in `place`; gives its folder. */
export function installIn(place: string): string {
  const installed = join(place, 'node_modules/episcope');
  for (const file of ['package.json', ...manifest.files]) {
    cpSync(join(root, file), join(installed, file), { recursive: true });
  }
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(place, 'node_modules', name));
  }
  return installed;
}

/** What the install of a machine with compilers builds. */
export function installAddon(installed: string): void {
  const built = join(installed, 'build/Release');
  mkdirSync(built, { recursive: true });
  for (const file of ['episcope.node', 'episcope-exec']) {
    cpSync(join(root, 'build/Release', file), join(built, file));
  }
}
