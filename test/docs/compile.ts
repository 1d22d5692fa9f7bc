/** Type-checks the TypeScript of the documents all at once, as a module of this package's users would be. */
import { join } from 'node:path';
import ts from 'typescript';
import { type CodeBlock, ROOT } from './markdown.js';

/** What is run: the block, with an import of the names that it takes for granted. */
export function moduleOf({ code, given }: CodeBlock): string {
  const imports = given.length === 0 ? '' : `import { ${given.join(', ')} } from './given.js';`;
  // On one line, so that line numbers are off by one at most. `export {}` makes any block a module.
  return `${imports} export {};\n${code}\n`;
}

/** Where the module of a block would stand. */
export function fileOf({ document, line }: CodeBlock): string {
  return join(ROOT, 'test/docs', `${document.replaceAll(/[^\w]/g, '-')}-${line}.ts`);
}

function options(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options: own } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const { outDir: _outDir, rootDir: _rootDir, ...rest } = own;
  // An example may show a value without using it.
  return {
    ...rest,
    noEmit: true,
    declaration: false,
    declarationMap: false,
    noUnusedLocals: false,
  };
}

/** The errors of each block's file, as a compiler tells them. */
export function typeErrors(blocks: readonly CodeBlock[]): Map<string, string[]> {
  const sources = new Map(blocks.map((block) => [fileOf(block), moduleOf(block)]));
  const compilerOptions = options();
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  host.getSourceFile = (file, target) => {
    const text = host.readFile(file);
    return text === undefined ? undefined : ts.createSourceFile(file, text, target);
  };
  const program = ts.createProgram([...sources.keys()], compilerOptions, host);
  const errors = new Map<string, string[]>();
  for (const file of sources.keys()) {
    const source = program.getSourceFile(file);
    errors.set(file, ts.getPreEmitDiagnostics(program, source).map(shown));
  }
  return errors;
}

function shown({ file, start = 0, messageText }: ts.Diagnostic): string {
  const text = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (file === undefined) return text;
  // The first line is ours.
  return `line ${file.getLineAndCharacterOfPosition(start).line}: ${text}`;
}

/** JavaScript for the oldest Node that is supported: `using` too. */
export function javaScriptOf(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}
