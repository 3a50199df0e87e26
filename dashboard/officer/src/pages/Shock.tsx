export function ShockPage() {
  return null;
}
