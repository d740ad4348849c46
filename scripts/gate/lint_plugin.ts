/**
 * The rules of the house that the recommended lint rules do not know.
 *
 * @module
 */

import { dirname, join, relative } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { maySayDeno, refuseImport, refuseNodeModule, refusePackage } from "./layers.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VAGUE_NAME = /^(utils?|helpers?|common|shared|misc)$/;

/** Every statement and expression that names another module, with its specifier. */
type Importing =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ImportExpression
  | Deno.lint.TSImportType;

/** Calls `visit` for every module that the file names. */
function onImport(visit: (node: Importing, specifier: string) => void): Deno.lint.LintVisitor {
  const fromSource = (node: Importing): void => {
    const named: Deno.lint.Node | null | undefined = node.type === "TSImportType" ? node.argument : node.source;
    const source = named?.type === "TSLiteralType" ? named.literal : named;
    if (source?.type === "Literal" && typeof source.value === "string") visit(node, source.value);
  };
  return {
    ImportDeclaration: fromSource,
    ExportNamedDeclaration: fromSource,
    ExportAllDeclaration: fromSource,
    ImportExpression: fromSource,
    TSImportType: fromSource,
  };
}

/** Whether a comment stands right above the node's line, with no empty line between, or before it on that line. */
function isExplained(context: Deno.lint.RuleContext, node: Importing): boolean {
  const { text } = context.sourceCode;
  const line = text.lastIndexOf("\n", node.range[0] - 1) + 1;
  return context.sourceCode.getAllComments().some(({ range: [, end] }) =>
    end <= node.range[0] && /^[ \t]*\n?[ \t]*$/.test(text.slice(end, Math.max(line, end)))
  );
}

/** The linted file relative to the root, with forward slashes. */
function pathOf(context: Deno.lint.RuleContext): string {
  return relative(ROOT, context.filename);
}

const plugin: Deno.lint.Plugin = {
  name: "nodepass",
  rules: {
    "layers": {
      create(context) {
        const from = pathOf(context);
        return onImport((node, specifier) => {
          if (!specifier.startsWith(".")) return;
          const to = relative(ROOT, join(dirname(join(ROOT, from)), specifier));
          const message = refuseImport(from, to);
          if (message !== null) context.report({ node, message });
        });
      },
    },
    "packages": {
      create(context) {
        const from = pathOf(context);
        return onImport((node, specifier) => {
          if (specifier.startsWith(".")) return;
          if (/^(npm|jsr|https?):/.test(specifier)) {
            context.report({ node, message: `"${specifier}": use a bare name and list it in package.json` });
            return;
          }
          const message = specifier.startsWith("node:")
            ? refuseNodeModule(from, specifier, isExplained(context, node))
            : refusePackage(from, specifier);
          if (message !== null) context.report({ node, message });
        });
      },
    },
    "deno-global": {
      create(context) {
        if (maySayDeno(pathOf(context))) return {};
        const report = (node: Deno.lint.Node): void =>
          context.report({ node, message: "`Deno.` is said under src/runtime/deno only" });
        return {
          'MemberExpression[object.name="Deno"]': report,
          'MemberExpression[object.name="globalThis"][property.name="Deno"]': report,
        };
      },
    },
    "file-names": {
      create(context) {
        const path = pathOf(context);
        return {
          Program(node) {
            for (const segment of path.replace(/\.[a-z]+$/, "").split("/")) {
              if (VAGUE_NAME.test(segment)) {
                context.report({ node, message: `"${segment}" names no subject` });
              } else if (!/^[a-z0-9_.]+$/.test(segment)) {
                context.report({ node, message: `"${segment}" is not snake_case` });
              }
            }
          },
        };
      },
    },
    "unfinished": {
      create(context) {
        return {
          Program() {
            for (const comment of context.sourceCode.getAllComments()) {
              if (!/\b(TODO|FIXME|XXX)\b|not implemented/.test(comment.value)) continue;
              if (pathOf(context).startsWith("scripts/gate/")) continue;
              context.report({ range: comment.range, message: "Unfinished work is not left in the tree" });
            }
          },
        };
      },
    },
    "only": {
      create(context) {
        return {
          'CallExpression > MemberExpression[property.name="only"]'(node: Deno.lint.MemberExpression) {
            if (node.object.type !== "Identifier" || !/^(test|it|describe)$/.test(node.object.name)) return;
            context.report({ node, message: "`only` hides the other tests" });
          },
        };
      },
    },
  },
};

export default plugin;
