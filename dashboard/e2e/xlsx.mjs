/** The smallest XLSX that spreadsheet programs read: one sheet of text cells, stored zip. */
import { crc32 } from 'node:zlib';

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** "A", "B", ... of column n, from 0; up to 26 columns. */
const letter = (n) => String.fromCharCode(65 + n);

/** The bytes of a workbook with the rows, each a list of texts; "" leaves a cell out. */
export function xlsx(rows) {
  const cells = rows
    .map((row, r) => {
      const inside = row
        .map((text, c) =>
          text === ''
            ? ''
            : `<c r="${letter(c)}${r + 1}" t="inlineStr"><is><t>${escaped(text)}</t></is></c>`,
        )
        .join('');
      return `<row r="${r + 1}">${inside}</row>`;
    })
    .join('');
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const rel = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const pack = 'http://schemas.openxmlformats.org/package/2006';
  const kind = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  return zip({
    '[Content_Types].xml': `${head}<Types xmlns="${pack}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${kind}.worksheet+xml"/></Types>`,
    '_rels/.rels': `${head}<Relationships xmlns="${pack}/relationships"><Relationship Id="rId1" Type="${rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `${head}<workbook xmlns="${main}" xmlns:r="${rel}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${head}<Relationships xmlns="${pack}/relationships"><Relationship Id="rId1" Type="${rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': `${head}<worksheet xmlns="${main}"><sheetData>${cells}</sheetData></worksheet>`,
  });
}

/** Files by name as an uncompressed zip. */
function zip(files) {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const path = Buffer.from(name);
    const data = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version that can read it
    common.writeUInt16LE(0x0800, 2); // names in UTF-8
    common.writeUInt16LE(0x5c21, 8); // 2026-01-01
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, path]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

const digits = '0123456789ABCDEFGHJKLMNPQRTUWXY';

/** A unified social credit code with its right check character (GB 32100-2015). */
export function creditCode(seed) {
  const body = `91990000${organisation(seed)}`;
  const sum = [...body].reduce((s, c, i) => s + digits.indexOf(c) * 3 ** i, 0);
  return body + digits[(31 - (sum % 31)) % 31];
}

/** The organisation code inside it, with its own check character (GB 11714-1997). */
function organisation(seed) {
  const weights = [3, 7, 9, 10, 5, 8, 4, 2];
  const body = `M${String(seed).padStart(7, '0').slice(-7)}`;
  const value = (c) => (/\d/.test(c) ? Number(c) : c.charCodeAt(0) - 55);
  const check = 11 - ([...body].reduce((s, c, i) => s + value(c) * weights[i], 0) % 11);
  return body + (check === 10 ? 'X' : check === 11 ? '0' : check);
}
