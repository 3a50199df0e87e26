/** The bytes of a payload, as text where they are text, in hexadecimal where they are not. */
export interface Preview {
  kind: 'text' | 'hex';
  text: string;
  /** Bytes in all. */
  size: number;
}

const HEX_BYTES = 256;

/** Decodes base64, which is how the API gives bytes. */
export function preview(base64: string): Preview {
  const raw = atob(base64);
  const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
  const size = bytes.length;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (size && !control.test(text)) return { kind: 'text', text, size };
  } catch {
    // not UTF-8
  }
  const hex = Array.from(bytes.subarray(0, HEX_BYTES), (b) => b.toString(16).padStart(2, '0'));
  return { kind: 'hex', text: hex.join(' ') + (size > HEX_BYTES ? ' …' : ''), size };
}

/** Characters that no text has: controls but tab and line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** The beginning of a text of some length. */
export const begin = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length)}…` : text;
