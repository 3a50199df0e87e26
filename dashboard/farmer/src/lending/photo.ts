/** What can be said of a photo of a receipt before its fingerprint is taken. */

/** Larger pictures than phones take are no photos of a receipt. */
export const MAX_PHOTO_MIB = 20;

const MIB = 1024 * 1024;

/** Why a file is no photo that counts: "" when nothing speaks against it, or a locale key. */
export function judgePhoto(file: {
  name: string;
  type: string;
  size: number;
}): '' | 'not_photo' | 'empty' | 'too_big' {
  // Some phones give their own formats no type.
  const picture = file.type ? file.type.startsWith('image/') : /\.(heic|heif)$/i.test(file.name);
  if (!picture) return 'not_photo';
  if (file.size === 0) return 'empty';
  return file.size > MAX_PHOTO_MIB * MIB ? 'too_big' : '';
}
