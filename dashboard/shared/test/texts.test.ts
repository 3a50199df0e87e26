import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rooms = ['shared', 'officer', 'farmer', 'anchor'];

function files(folder: string, end: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && end.test(e.name))
    .map((e) => join(e.parentPath, e.name))
    .filter((f) => !f.includes('/node_modules/') && !f.includes('/dist/'));
}

function keys(value: unknown, at = ''): string[] {
  return typeof value === 'string'
    ? [at]
    : Object.entries(value as object).flatMap(([k, v]) => keys(v, at ? `${at}.${k}` : k));
}

/** One entry for all plural forms: Chinese has one, English two. */
const withoutPlural = (key: string) => key.replace(/_(one|other)$/, '');

function placeholders(value: unknown, key: string): string[] {
  const text = key.split('.').reduce<unknown>((v, k) => (v as Record<string, unknown>)?.[k], value);
  return typeof text === 'string'
    ? [...text.matchAll(/{{(\w+)/g)].map((m) => m[1] ?? '').sort()
    : [];
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;

describe.each(rooms)('texts of %s', (room) => {
  const locales = join(root, room, 'src/locales');
  const src = files(join(root, room, 'src'), /\.tsx?$/).filter((f) => !f.includes('.test.'));
  const features = (language: string) => {
    try {
      return readdirSync(join(locales, language)).filter((f) => f.endsWith('.json'));
    } catch {
      return [];
    }
  };

  test('both languages have the same features', () => {
    expect(features('en')).toEqual(features('zh-CN'));
  });

  test.each(features('zh-CN'))('%s says the same in both languages', (feature) => {
    const zh = read(join(locales, 'zh-CN', feature));
    const en = read(join(locales, 'en', feature));
    const sorted = (v: unknown) => [...new Set(keys(v).map(withoutPlural))].sort();
    expect(sorted(en)).toEqual(sorted(zh));
    for (const key of keys(zh))
      if (!/_(one|other)$/.test(key))
        expect({ key, has: placeholders(en, key) }).toEqual({ key, has: placeholders(zh, key) });
    expect(
      keys(en).filter((k) => /[\u3400-\u9fff]/.test(text(en, k)) && k !== 'language.name'),
    ).toEqual([]);
  });

  test('every text that the code asks for is there', () => {
    const missing = src.flatMap((file) => {
      const code = readFileSync(file, 'utf8');
      const spaces = [...code.matchAll(/useTranslation\('(\w+)'\)/g)].map((m) => m[1] ?? '');
      return [...code.matchAll(/\bt\(\s*'([^'$]+)'/g)]
        .map((m) => m[1] ?? '')
        .filter((key) => {
          const [space, rest] = key.includes(':') ? key.split(':') : ['', key];
          const places = space ? [space] : [...spaces, 'shared'];
          return !places.some((p) => has(room, p, rest ?? ''));
        })
        .map((key) => `${relative(root, file)}: ${key}`);
    });
    expect(missing).toEqual([]);
  });

  test('no text stands in the code', () => {
    expect(src.flatMap(textsInCode)).toEqual([]);
  });
});

/** Whether a namespace of the room, or of the shared one, has the key in some plural form. */
function has(room: string, space: string, key: string): boolean {
  return [room, 'shared'].some((r) => {
    try {
      const all = keys(read(join(root, r, 'src/locales/zh-CN', `${space}.json`)));
      return all.some((k) => k === key || withoutPlural(k) === key);
    } catch {
      return false;
    }
  });
}

function text(value: unknown, key: string): string {
  return String(
    key.split('.').reduce<unknown>((v, k) => (v as Record<string, unknown>)?.[k], value) ?? '',
  );
}

const spoken = new Set(['title', 'alt', 'placeholder', 'aria-label', 'label', 'description']);

/** Chinese in any literal, words between tags, and words in attributes that people read. */
function textsInCode(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
  const found: string[] = [];
  const say = (node: ts.Node, what: string) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push(`${relative(root, file)}:${line} ${what.trim()}`);
  };
  const visit = (node: ts.Node): void => {
    if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    ) {
      if (/[\u3400-\u9fff]/.test(node.text)) say(node, node.text);
    }
    if (ts.isJsxText(node) && /\p{L}{2,}/u.test(node.text)) say(node, node.text);
    if (
      ts.isJsxAttribute(node) &&
      spoken.has(node.name.getText()) &&
      node.initializer &&
      ts.isStringLiteral(node.initializer) &&
      /\p{L}/u.test(node.initializer.text)
    )
      say(node, node.initializer.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
