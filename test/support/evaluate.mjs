// Evaluates the built package anew, as test runners and hot reloaders do. Needs --experimental-vm-modules.
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const root = new URL('../../', import.meta.url);

/** A realm of its own, with what Node adds to the language in the globals, as runners make one. */
export function freshRealm() {
  const context = vm.createContext();
  const own = new Set(vm.runInContext('Object.getOwnPropertyNames(globalThis)', context));
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
    if (!own.has(name)) Object.defineProperty(context, name, descriptor);
  }
  return context;
}

/**
 * The namespace of one more evaluation of the package: in `context`, or else in the realm of the caller. `copy` is a
 * folder that stands for the package's own (a copy of it on disk).
 */
export async function evaluate({ context, copy = root } = {}) {
  const modules = new Map();
  const realm = context === undefined ? {} : { context };

  async function builtin(specifier) {
    const namespace = await import(specifier);
    const module = new vm.SyntheticModule(
      Object.keys(namespace),
      () => {
        for (const [name, value] of Object.entries(namespace)) module.setExport(name, value);
      },
      { ...realm, identifier: specifier },
    );
    return module;
  }

  function source(url) {
    return new vm.SourceTextModule(readFileSync(fileURLToPath(url), 'utf8'), {
      ...realm,
      identifier: url,
      initializeImportMeta: (meta) => {
        meta.url = url;
      },
      importModuleDynamically: async (specifier, referrer) => {
        const module = await moduleOf(specifier, referrer);
        if (module.status === 'unlinked') await module.link(moduleOf);
        if (module.status === 'linked') await module.evaluate();
        return module;
      },
    });
  }

  function moduleOf(specifier, referrer) {
    const isOurs = specifier.startsWith('.');
    const url = isOurs ? new URL(specifier, referrer.identifier).href : specifier;
    let module = modules.get(url);
    if (module === undefined) {
      // What is not ours is given as it is: other packages, too, may be of another realm.
      module = isOurs ? source(url) : builtin(isBuiltin(url) ? url : import.meta.resolve(url));
      modules.set(url, module);
    }
    return module;
  }

  const entry = source(new URL('dist/index.js', copy).href);
  await entry.link(moduleOf);
  await entry.evaluate();
  return entry.namespace;
}
