const remembered = 'furrow.large';

/** Whether the reader asked for large text on this phone. */
export function isLarge(): boolean {
  return localStorage.getItem(remembered) === 'true';
}

/** Makes the text large or usual, and remembers it. */
export function setLarge(on: boolean): void {
  localStorage.setItem(remembered, String(on));
  document.documentElement.dataset.large = String(on);
}
