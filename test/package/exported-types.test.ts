import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, string | { readonly types: string }>;
};
const ENTRIES = Object.entries(exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [[name, `${root}${entry.types}`] as const],
);

/**
 * `Exported: NotExported` for each type that a public declaration of `entry` names and `entry` does not export. A base
 * need not be exported: its members are looked at as those of the heir.
 */
function notExported(program: ts.Program, entry: string): string[] {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  const target = (symbol: ts.Symbol) =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  const exports = checker.getExportsOfModule(module);
  const exported = exports.map(target);
  const names = new Set([...exports, ...exported].map(({ name }) => name));
  const isHidden = ({ name, declarations = [] }: ts.Symbol) =>
    !names.has(name) &&
    declarations.some(
      (each) =>
        !ts.isTypeParameterDeclaration(each) &&
        each.getSourceFile().fileName.startsWith(`${root}dist/`),
    );
  const found = new Set<string>();
  for (const symbol of exported) {
    const lookAt = ({ declarations = [] }: ts.Symbol) => {
      for (const declaration of declarations) look(declaration);
    };
    const look = (node: ts.Node): void => {
      if (!isPublic(node)) return;
      const name = nameIn(node);
      const local = name && checker.getSymbolAtLocation(name);
      const named = local && target(local);
      if (named !== undefined && isHidden(named)) {
        if (ts.isExpressionWithTypeArguments(node)) lookAt(named);
        else found.add(`${symbol.name}: ${named.name}`);
      }
      ts.forEachChild(node, look);
    };
    lookAt(symbol);
  }
  return [...found].sort();
}

function isPublic(node: ts.Node): boolean {
  const isInternal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return !isInternal && !modifiers.some(({ kind }) => kind === ts.SyntaxKind.ProtectedKeyword);
}

/** What a node that refers to a type calls it. */
function nameIn(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined;
}

const program = ts.createProgram(
  ENTRIES.map(([, file]) => file),
  { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: ['node'] },
);

test.each(ENTRIES)('%s exports every type that its declarations name', (_name, entry) => {
  expect(notExported(program, entry)).toEqual([]);
});
